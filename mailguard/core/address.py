"""Mail addresses: their normal form for comparing, never for sending.

An address goes on as it came. To compare two, their normal forms are compared: the domain in lower case
as A-labels (IDNA), the local part in lower case and Unicode normal form. RFC 5321 lets a host tell `Bob`
from `bob`; no mail system in use does, and a person never means to.
"""

import unicodedata
from functools import lru_cache

from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """An address taken apart. `local` and `domain` are normal forms; `plain` is false where the address
    has no domain or hides a route in its local part (`a%b@c`, `b!a@c`): such an address is always
    external, wherever it claims to go."""

    local: str
    domain: str
    plain: bool

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}" if self.domain else self.local


def parse(text: str) -> Address:
    """Take any text apart as an address; never raises.

    What is longer than any address is nobody's, and not looked at any closer.
    """
    if len(text) > _LONGEST:
        return Address(local=text, domain="", plain=False)
    return _parsed(text)


# Short texts only, so that hostile mail cannot fill the memory by what is remembered here.
@lru_cache(maxsize=65536)
def _parsed(text: str) -> Address:
    local, at, domain = text.strip(_SPACE).rpartition("@")
    if not at:
        return Address(local=_fold(text.strip(_SPACE)), domain="", plain=False)
    folded = _fold(local)
    if len(folded) > 1 and folded[0] == folded[-1] == '"' and "\\" not in folded:
        folded = folded[1:-1]
    # RFC 5321 appendix F.2: percent and bang routes send the mail elsewhere than the domain says.
    plain = bool(folded) and not set('%!@\\ \t"<>()[],:;\x00') & set(folded)
    name = ascii_domain(domain)
    return Address(local=folded, domain=name, plain=plain and bool(name))


def normal(text: str) -> str:
    """The form in which two spellings of one address are equal."""
    return _normal(text) if len(text) <= _LONGEST else text


@lru_cache(maxsize=65536)
def _normal(text: str) -> str:
    return str(_parsed(text))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def ascii_domain(domain: str) -> str:
    """A domain in lower case, non-ASCII labels as A-labels (RFC 5890), without a trailing dot; "" where it
    is none."""
    return _ascii_domain(domain) if len(domain) <= _LONGEST else ""


@lru_cache(maxsize=65536)
def _ascii_domain(domain: str) -> str:
    name = domain.strip(_SPACE).rstrip(".")
    if name.isascii():
        lowered = name.lower()
        return lowered if _is_domain(lowered) else ""
    # UTS 46: full-width dots count as dots.
    for dot in ("\u3002", "\uff0e", "\uff61"):
        name = name.replace(dot, ".")
    # Letter by letter: at the end of a word str.lower() makes another sigma of a capital one than UTS 46.
    lowered = "".join(map(str.lower, unicodedata.normalize("NFKC", name)))
    labels = unicodedata.normalize("NFC", lowered).rstrip(".").split(".")
    encoded = ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii") for label in labels
    )
    return encoded if _is_domain(encoded) else ""


def _is_domain(name: str) -> bool:
    if name.startswith("[") and name.endswith("]"):
        return len(name) > 2 and not set("[]@ \t<>") & set(name[1:-1])
    labels = name.split(".")
    return all(label and set(label) <= _LABEL for label in labels)


_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
# Not every white space of Unicode: nobody else would take it off, so what has it is another domain.
_SPACE = " \t\r\n"
# RFC 5321 section 4.5.3.1 allows 320 octets; normal forms and A-labels take quadratic time on more.
_LONGEST = 1000

"""Address patterns: which addresses a rule, a group or the list of our own domains means.

A pattern covers an address from end to end, never a part of it, and both are compared in their normal
forms (core/address.py): case, Unicode spelling and IDNA make no difference.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from mailguard.core import address
from mailguard.core.address import Address
from mailguard.core.glob import Glob, glob
from mailguard.core.value import dataclass

FORMS = "internal, external, group:NAME, @domain, @*.domain, user@domain or user-*@domain"
GROUP = "group:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Domains:
    """Some domains by name (`exact`), and all that is below some others (`above`: `*.corp.example`)."""

    exact: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()

    def cover(self, domain: str) -> bool:
        """Whether this domain, in normal form, is one of them; a name in `above` itself is not."""
        if domain in self.exact:
            return True
        if not self.above:
            return False
        _, dot, parent = domain.partition(".")
        while dot:
            if parent in self.above:
                return True
            _, dot, parent = parent.partition(".")
        return False


@lru_cache(maxsize=64)
def domains(names: tuple[str, ...]) -> Domains:
    """Read a list of `corp.example` and `*.corp.example`. Raises ValueError for what is no domain."""
    exact: set[str] = set()
    above: set[str] = set()
    for name in names:
        below = name.strip().startswith("*.")
        normal = address.ascii_domain(name.strip()[2:] if below else name)
        if not normal:
            raise ValueError(f"{name!r} is no domain")
        (above if below else exact).add(normal)
    return Domains(exact=frozenset(exact), above=frozenset(above))


@dataclass(frozen=True, kw_only=True, slots=True)
class Patterns:
    """A list of address patterns, taken together, with its groups already put in.

    A group of thousands costs no more to look at than one address: whole addresses (`exact`: local part
    and domain) and domains are in sets, and only the patterns with a star before the @, or with both a
    local part and a star behind it, are tried one by one.
    """

    internal: bool = False
    external: bool = False
    exact: frozenset[tuple[str, str]] = frozenset()
    domains: Domains = Domains()
    globs: tuple[tuple[Glob, Domains], ...] = ()

    def cover(self, candidate: Address, *, external: bool) -> bool:
        """Whether one of the patterns means this address, which is outside our domains or not.

        An address that cannot be understood is nobody's: whatever it looks like, only `external` means it.
        """
        if external or not candidate.plain:
            if self.external:
                return True
        elif self.internal:
            return True
        if not candidate.plain:
            return False
        if (candidate.local, candidate.domain) in self.exact or self.domains.cover(candidate.domain):
            return True
        for local, there in self.globs:
            if there.cover(candidate.domain) and local.fits(candidate.local):
                return True
        return False


def compile_patterns(texts: Iterable[str], groups: Mapping[str, Patterns]) -> Patterns:
    """Read patterns and join them. Raises ValueError, in words for a person, for what is none."""
    parts = [_one(text, groups) for text in texts]
    return Patterns(
        internal=any(part.internal for part in parts),
        external=any(part.external for part in parts),
        exact=frozenset().union(*(part.exact for part in parts)),
        domains=Domains(
            exact=frozenset().union(*(part.domains.exact for part in parts)),
            above=frozenset().union(*(part.domains.above for part in parts)),
        ),
        globs=tuple(each for part in parts for each in part.globs),
    )


def _one(text: str, groups: Mapping[str, Patterns]) -> Patterns:
    pattern = text.strip()
    if pattern.lower() in ("internal", "external"):
        return Patterns(internal=pattern.lower() == "internal", external=pattern.lower() == "external")
    if pattern.lower().startswith(GROUP):
        name = pattern[len(GROUP) :].strip()
        if name not in groups:
            raise ValueError(f"there is no group {name!r}")
        return groups[name]
    local, at, domain = pattern.rpartition("@")
    if not at:
        raise ValueError(f"{text!r} is no address pattern")
    where = domains((domain,))
    if not local:
        return Patterns(domains=where)
    # The star aside, a pattern is an address like any other, with the same normal form.
    parsed = address.parse(f"{local}@{next(iter(where.exact | where.above))}")
    if not parsed.plain:
        raise ValueError(f"{text!r} is no address pattern")
    if "*" in parsed.local or where.above:
        return Patterns(globs=((glob(parsed.local), where),))
    return Patterns(exact=frozenset({(parsed.local, parsed.domain)}))

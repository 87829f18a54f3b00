"""The people that the memory has met, each with a number, and what an address and a display name say of who
it is."""

import re
from functools import lru_cache

from mailguard.core.prose import fold

_PART = re.compile(r"[^\W\d_]{2,}")
# Second-level labels under which anybody registers a name (as in co.uk).
_SHARED = frozenset(("co", "com", "org", "ac", "gov", "net", "edu", "asso", "gouv"))
# Mailboxes that anybody can open: two of its users have nothing in common.
_WEBMAIL = """
gmail.com googlemail.com yahoo.com yahoo.fr yahoo.co.uk ymail.com hotmail.com hotmail.fr outlook.com
outlook.fr live.com live.fr msn.com aol.com icloud.com me.com mac.com gmx.net gmx.de gmx.com gmx.fr
web.de mail.com mail.ru yandex.ru qq.com 163.com 126.com proton.me protonmail.com fastmail.com
zoho.com tutanota.com orange.fr wanadoo.fr free.fr sfr.fr laposte.net neuf.fr bbox.fr t-online.de
freenet.de libero.it tiscali.it virgilio.it terra.es telefonica.net bluewin.ch earthlink.net
comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net juno.com netzero.net excite.com
home.com prodigy.net mindspring.com worldnet.att.net compuserve.com kernel.org linux.dev
"""
WEBMAIL = frozenset(_WEBMAIL.split())


@lru_cache(maxsize=16384)
def organisation(domain: str) -> str:
    """The part of a domain that somebody registered: corp.example for mail.corp.example."""
    labels = domain.split(".")
    if len(labels) > 2 and labels[-2] in _SHARED and len(labels[-1]) == 2:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])


class Person:
    """One address and what is known of its owner's name. `number` is -1 for somebody the memory never met."""

    __slots__ = ("address", "domain", "got", "keys", "local", "named", "number", "parts", "sent", "writers")

    def __init__(self, address: str, number: int = -1) -> None:
        local, _, domain = address.rpartition("@")
        self.number = number
        self.address = address
        self.local = local or address
        self.domain = organisation(domain)
        self.parts, self.keys = _names_in(self.local)
        self.named: tuple[str, ...] = ()
        # How much mail was seen to and from this address, and the first few who wrote to it.
        self.got = 0
        self.sent = 0
        self.writers: tuple[int, ...] = ()

    def forget(self) -> None:
        """Keep nothing of who this was."""
        self.address = self.local = self.domain = ""
        self.parts = self.named = self.keys = self.writers = ()


# A stranger is made up anew for each mail that he is on.
@lru_cache(maxsize=16384)
def _names_in(local: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    parts = tuple(_PART.findall(fold(local)))
    return parts, alike_keys(local, parts)


def alike_keys(local: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    """What an autocompletion would find an address by: its first letters, and the longer parts of its
    name."""
    longer = tuple(part for part in dict.fromkeys(parts) if len(part) > 3)
    return (local[:3].lower(), *longer) if len(local) > 2 else longer


def ending(local: str) -> str:
    """The key of the last letters of a mailbox name; it is nobody's name."""
    return "-" + local[-3:]


class People:
    """Numbers for addresses, and who sounds like whom."""

    __slots__ = ("alike", "domains", "known", "numbers")

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.known: list[Person] = []
        self.alike: dict[str, list[int]] = {}
        # How many addresses of a domain were met.
        self.domains: dict[str, int] = {}

    def met(self, address: str) -> Person:
        """The person behind an address, from now on with a number."""
        number = self.numbers.get(address)
        if number is not None:
            return self.known[number]
        person = Person(address, len(self.known))
        self.numbers[address] = person.number
        self.known.append(person)
        self.domains[person.domain] = self.domains.get(person.domain, 0) + 1
        for key in (*person.keys, ending(person.local)):
            self.alike.setdefault(key, []).append(person.number)
        return person

    def find(self, address: str) -> Person:
        """The person behind an address; a stranger is made up for the moment, and not kept."""
        number = self.numbers.get(address)
        return Person(address) if number is None else self.known[number]

    def name(self, address: str, display: str) -> None:
        """Somebody went by this display name."""
        parts = tuple(_PART.findall(fold(display.partition("<")[0].partition("@")[0])))[:5]
        if parts and (number := self.numbers.get(address)) is not None:
            self.known[number].named = parts

    def exchanged(self, domain: str) -> int:
        """How much mail went to and came from an organisation, each address counted. Looks through everybody
        who was ever met."""
        return sum(one.got + one.sent for one in self.known if one.domain == domain)

    def erase(self, address: str) -> None:
        """Nobody can be found by this address or its name any more; its number means nobody."""
        number = self.numbers.pop(address, None)
        if number is None:
            return
        person = self.known[number]
        for key in (*person.keys, ending(person.local)):
            self.alike[key] = [other for other in self.alike[key] if other != number]
        left = self.domains.get(person.domain, 1) - 1
        self.domains[person.domain] = left
        if left <= 0:
            del self.domains[person.domain]
        person.forget()

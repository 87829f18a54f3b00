"""Makes wrong recipients for real mail, to train and to measure the judge with.

A leak is made of addresses that were seen before, as an autocompletion would offer them, and is never another
address of somebody who is on the mail, its sender among them; only `typo` makes an address that nobody ever
used.
"""

import hashlib
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from mailguard.core.recall.letter import Letter
from mailguard.core.recall.people import WEBMAIL, alike_keys, organisation

KINDS = ("slip", "slip_add", "random_add", "ext_swap", "replyall", "lurker", "typo", "other")
# Lists and robots: nobody's slip.
_NO_PERSON = re.compile(
    r"@(?:lists?[.-]|vger\.|googlegroups\.|redhat-lists)|^(?:linux-|all\.|dl-|patches@|stable@|kernel-janitors|bpf@|kvm@|regressions@)"
    r"|-list@|-devel@|\.(?:worldwide|employees|distribution)@|bot\b|no-?reply|patchwork|daemon|bugzilla",
    re.IGNORECASE,
)
_PART = re.compile(r"[a-z]{2,}")
_PLACES = ("gmail.com", "yahoo.com", "hotmail.com", "aol.com", "outlook.com", "consulting-group.com")


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    """A mail with somebody wrong on it. `replaced` is who should have got it, "" where the leak was added."""

    kind: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    address: str
    replaced: str = ""


@dataclass(kw_only=True, slots=True)
class Known:
    """What a leak may be made of: the addresses seen so far."""

    internal: frozenset[str]
    contacts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    everybody: list[str] = field(default_factory=list)
    met: set[str] = field(default_factory=set)
    alike: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    surnames: list[str] = field(default_factory=list)

    def see(self, letter: Letter, user: str) -> None:
        """A mail went out."""
        for address, name in letter.names.items():
            named = frozenset(_PART.findall(name.lower().partition("<")[0].partition("@")[0]))
            if len(named) > 1:
                self.names[address] = named
        if user:
            self.contacts[user].update(letter.recipients)
        for address in (*letter.recipients, letter.sender):
            if address not in self.met and not _NO_PERSON.search(address):
                self.met.add(address)
                self.everybody.append(address)
                parts = parts_of(address)
                if len(parts) > 1 and len(parts[-1]) > 3:
                    self.surnames.append(parts[-1])
                for key in dict.fromkeys(alike_keys(address.partition("@")[0], parts)):
                    self.alike[key].append(address)

    def outside(self, sender: str, address: str) -> bool:
        """Whether an address is none of the sender's organisation."""
        domain = organisation(address.rpartition("@")[2])
        if domain in self.internal:
            return False
        return domain != organisation(sender.rpartition("@")[2]) or domain in WEBMAIL

    def lookalikes(self, address: str, pool: Collection[str]) -> list[str]:
        """Addresses that an autocompletion would show beside this one."""
        keys = alike_keys(address.partition("@")[0], parts_of(address))
        found = {
            other for key in keys for other in self.alike.get(key, ()) if other in pool and other != address
        }
        return sorted(found)


def parts_of(address: str) -> tuple[str, ...]:
    """The parts of a mailbox name."""
    return tuple(_PART.findall(address.partition("@")[0].lower()))


def one_person(known: Known, one: str, other: str) -> bool:
    """Whether two addresses may well be one person's; in doubt they are."""
    if one.partition("@")[0] == other.partition("@")[0]:
        return True
    if one in known.names and known.names[one] == known.names.get(other):
        return True
    mine, theirs = parts_of(one), parts_of(other)
    if not mine or not theirs:
        return False
    longer, shorter = sorted((mine[-1], theirs[-1]), key=len, reverse=True)
    if len(shorter) < 4 or not longer.endswith(shorter):
        return False
    # The same surname: two people only where both first names begin otherwise.
    return longer != shorter or len(mine) == 1 or len(theirs) == 1 or mine[0][0] == theirs[0][0]


def maker(*seed: object) -> random.Random:
    """Chance that is the same on every run."""
    return random.Random(hashlib.sha256(repr(seed).encode()).digest())


def make(kind: str, letter: Letter, user: str, known: Known, chance: random.Random) -> Leak | None:
    """A leak of this kind, or None where none can be made of this mail."""
    everybody = letter.recipients
    on_it = (*everybody, letter.sender)
    people = [address for address in everybody if not _NO_PERSON.search(address)]

    def free(candidates: Iterable[str]) -> list[str]:
        return [
            x
            for x in candidates
            if x not in on_it and not any(one_person(known, x, other) for other in on_it)
        ]

    mine = sorted(address for address in known.contacts[user] if not _NO_PERSON.search(address))
    chance.shuffle(people)
    if kind in ("slip", "slip_add"):
        return _slip(kind, letter, user, known, chance, people, free)
    if kind == "typo":
        return _typo(letter, known, chance, people)
    if not people and kind in ("other", "ext_swap"):
        return None
    if kind in ("random_add", "other"):
        pool = free(mine)
        at = people[0] if people else everybody[0]
        return _put(kind, letter, at, chance.choice(pool), kind == "other", chance) if pool else None
    outside = free(address for address in mine if known.outside(letter.sender, address))
    if kind == "ext_swap":
        inside = [address for address in people if not known.outside(letter.sender, address)]
        if not inside:
            return None
        alike = free(x for x in known.lookalikes(inside[0], known.met) if known.outside(letter.sender, x))
        pool = outside if outside and (not alike or chance.random() < 0.5) else alike
        return _put(kind, letter, inside[0], chance.choice(pool), True, chance) if pool else None
    if chance.random() < 0.3 or not outside:
        some = (chance.choice(known.everybody) for _ in range(60)) if known.everybody else ()
        outside = free(x for x in some if known.outside(letter.sender, x))[:1] or outside
    return _put(kind, letter, everybody[0], chance.choice(outside), False, chance) if outside else None


def _slip(
    kind: str,
    letter: Letter,
    user: str,
    known: Known,
    chance: random.Random,
    people: Sequence[str],
    free: Callable[[Iterable[str]], list[str]],
) -> Leak | None:
    from_all = chance.random() < 0.3
    for address in people:
        for pool in (known.met,) if from_all else (known.contacts[user], known.met):
            found = free(x for x in known.lookalikes(address, pool) if x in known.met)
            if found:
                return _put(kind, letter, address, chance.choice(found), kind == "slip", chance)
    return None


def _typo(letter: Letter, known: Known, chance: random.Random, people: Sequence[str]) -> Leak | None:
    if not people or not known.surnames:
        return None
    local, _, domain = people[0].rpartition("@")
    for _ in range(20):
        if chance.random() < 0.5:
            wrong = _misspelt(local, chance) + "@" + domain
            if chance.random() < 0.4:
                name, dot, last = domain.rpartition(".")
                wrong = local + "@" + _misspelt(name, chance) + dot + last
        else:
            first = chance.choice(parts_of(people[0]) or (local,))
            place = domain if chance.random() < 0.3 else chance.choice(_PLACES)
            wrong = first + chance.choice((".", "", "_")) + chance.choice(known.surnames) + "@" + place
        if (
            wrong not in known.met
            and wrong not in letter.recipients
            and not re.search(r"^@|@$|@\.|\.\.", wrong)
        ):
            return _put("typo", letter, people[0], wrong, True, chance)
    return None


def _misspelt(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text)) if text else 0
    left, letter, right = text[:at], text[at : at + 1], text[at + 1 :]
    other = chance.choice("abcdefghijklmnopqrstuvwxyz")
    return chance.choice(
        (
            left + right,
            left + letter + letter + right,
            left + right[:1] + letter + right[1:],
            left + other + right,
        )
    )


def _put(kind: str, letter: Letter, at: str, leak: str, instead: bool, chance: random.Random) -> Leak:
    to, cc = list(letter.to), list(letter.cc)
    where = to if at in to or not cc else cc
    if instead:
        where[where.index(at)] = leak
    else:
        where.insert(chance.randrange(len(where) + 1), leak)
    return Leak(kind=kind, to=tuple(to), cc=tuple(cc), address=leak, replaced=at if instead else "")


def with_leak(letter: Letter, leak: Leak) -> Letter:
    """The mail as it would have gone out."""
    return replace(letter, to=leak.to, cc=leak.cc)

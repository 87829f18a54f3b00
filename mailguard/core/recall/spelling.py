"""Slips of the finger: whether two spellings are one letter apart (Damerau 1964)."""

from mailguard.core.recall.people import Person


def one_apart(one: str, other: str) -> bool:
    """Whether one letter was left out, put in, changed, or swapped with the next."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    if len(one) > len(other):
        one, other = other, one
    at = next((place for place, letter in enumerate(one) if letter != other[place]), len(one))
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    if one[at + 1 :] == other[at + 1 :]:
        return True
    return one[at + 2 :] == other[at + 2 :] and one[at : at + 2] == other[at : at + 2][::-1]


def slip(stranger: Person, known: Person) -> float:
    """How likely a stranger's address is a known one with a slip: 1 where one letter of it is wrong, less for
    the same mailbox name at another domain."""
    if stranger.address.rpartition("@")[2] == known.address.rpartition("@")[2]:
        return 1.0 if len(known.local) > 2 and one_apart(stranger.local, known.local) else 0.0
    if stranger.local == known.local and len(known.local) > 3:
        return 1.0 if one_apart(stranger.address, known.address) else 0.6
    return 0.0

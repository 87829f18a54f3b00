"""A login and the addresses that it may send as."""

from fnmatch import fnmatchcase

from mailguard.core import address
from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """`addresses` are addresses or patterns in normal form, such as `a@corp.example`,
    `news-*@corp.example`, `@corp.example`."""

    login: str
    addresses: tuple[str, ...]

    def may_send_as(self, sender: str) -> bool:
        """Whether this login may use this envelope sender; the null sender (of a bounce, of a receipt) is
        everybody's."""
        if not sender:
            return True
        parsed = address.parse(sender)
        if not parsed.plain:
            return False
        return any(_fits(parsed, pattern) for pattern in self.addresses)


def _fits(sender: address.Address, pattern: str) -> bool:
    local, _, domain = pattern.rpartition("@")
    if sender.domain != address.ascii_domain(domain):
        return False
    # Brackets are fnmatch's only other wildcard, and no part of a pattern here.
    return not local or fnmatchcase(sender.local, local.lower().replace("[", "[[]").replace("?", "[?]"))

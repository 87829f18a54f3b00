"""Who asks for a move, and whether the message is theirs."""

from mailguard.core import address
from mailguard.core.account import Account
from mailguard.core.hold import HeldMessage
from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """A person (with an account) or the admin of the machine (`account` None and `admin` True).

    `shared` are the mailboxes that the person has in common with colleagues: addresses, in normal form, that
    two logins list as they are. Their members act on what was sent from there as on their own.
    """

    name: str
    admin: bool = False
    account: Account | None = None
    shared: frozenset[str] = frozenset()

    def owns(self, message: HeldMessage) -> bool:
        """Whether the message is this person's own: submitted with the login, or, without a login, sent
        from one of its addresses."""
        if self.account is None:
            return False
        if message.user is not None:
            return message.user == self.account.login
        return bool(message.sender) and self.account.may_send_as(message.sender)

    def shares(self, message: HeldMessage) -> bool:
        """Whether the message was sent from a mailbox that this person is a member of."""
        return bool(message.sender) and address.normal(message.sender) in self.shared

    def may_act_on(self, message: HeldMessage) -> bool:
        """Whether this actor may stop, hold or let go of the message."""
        return self.admin or self.owns(message) or self.shares(message)

    def may_approve(self, message: HeldMessage) -> bool:
        """Whether this actor is the second pair of eyes for it; nobody is that for their
        own message, or their mailbox's: no admin either."""
        if self.owns(message) or self.shares(message):
            return False
        if self.admin:
            return True
        if self.account is None:
            return False
        return any(
            self.account.may_send_as(approver) or address.normal(approver) == self.account.login.lower()
            for approver in (*message.approvers, *message.deputies)
        )


ADMIN = Actor(name="admin", admin=True)

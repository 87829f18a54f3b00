"""Mail that the guard writes itself: what could not be sent goes back to its sender (RFC 3464).

Each method adds the bounces to a Change, so that they are stored in the very transaction that records
why: a crash between the two can neither lose a bounce nor write it twice.
"""

from collections.abc import Callable, Sequence

from mailguard.core import bounce
from mailguard.core.bounce import Kind
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.hold import Change, HeldRecipient
from mailguard.core.states import RecipientState
from mailguard.core.value import replace


class Bouncing:
    """`ids` makes a fresh message id; `language` is that of the installation. `content` are always the
    bytes as received, None where they are gone."""

    def __init__(self, *, ids: Callable[[], str], hostname: str, language: str) -> None:
        self._ids = ids
        self._hostname = hostname
        self._language = language

    def settled(self, change: Change, outcomes: Sequence[Outcome], content: bytes | None) -> Change:
        """After an attempt: who failed for good, and who asked to hear of a hand-over that the upstream
        will not report (RFC 3461 section 5.2.2)."""
        new = _newly(change, RecipientState.FAILED)
        silent = {o.address for o in outcomes if o.answer is Answer.TAKEN and not o.dsn}
        relayed = [r for r in _newly(change, RecipientState.SENT) if r.address in silent]
        change = self._with(change, Kind.FAILED, new, content)
        return self._with(change, Kind.RELAYED, relayed, content)

    def expired(self, change: Change, content: bytes | None) -> Change:
        """Nobody said yes in time."""
        return self._with(change, Kind.EXPIRED, _newly(change, RecipientState.DROPPED), content)

    def rejected(self, change: Change, reason: str, content: bytes | None) -> Change:
        """The approver said no."""
        dropped = _newly(change, RecipientState.DROPPED)
        return self._with(change, Kind.REJECTED, dropped, content, reason)

    def _with(
        self,
        change: Change,
        kind: Kind,
        recipients: Sequence[HeldRecipient],
        content: bytes | None,
        reason: str = "",
    ) -> Change:
        if not recipients:
            return change
        made = bounce.bounce(
            change.before,
            recipients,
            kind=kind,
            reason=reason,
            id=self._ids(),
            hostname=self._hostname,
            language=self._language,
            now=change.event.at,
            content=content,
        )
        return change if made is None else replace(change, adds=(*change.adds, made))


def _newly(change: Change, state: RecipientState) -> list[HeldRecipient]:
    """The recipients, as they are now, whom this change brought into a state."""
    pairs = zip(change.before.recipients, change.after.recipients, strict=True)
    return [new for old, new in pairs if new.state is state and old.state is not state]

"""When those are asked again who have not said yes yet: the deputies after a while, everybody before the end.

A message keeps the time of the next question (`remind_at`), so that new rules never move one, and each is
asked by one step of the message: never twice, and after a crash as well.
"""

from datetime import datetime, timedelta

from mailguard.core import moves
from mailguard.core.hold import Action, Change, HeldMessage
from mailguard.core.moves import Refused
from mailguard.core.states import MessageState, Move
from mailguard.core.value import dataclass, replace


@dataclass(frozen=True, kw_only=True, slots=True)
class Reminder:
    """A step that changes nothing but the time of the next question, and whom this one goes to (for a
    `confirm` nobody: its sender is asked). `last` is that before the end."""

    change: Change
    asked: tuple[str, ...]
    last: bool


def first(message: HeldMessage, escalate: timedelta) -> datetime | None:
    """When somebody is asked for the first time after a message was received: its deputies after
    `escalate`, where there are any; None where nobody is waited for."""
    last = message.last_call
    if last is None or message.gate is not Action.APPROVE or not message.deputies:
        return last
    return min(last, message.received_at + escalate)


def remind(message: HeldMessage, *, by: str, now: datetime) -> Reminder | moves.Refusal:
    """The question that is due now.

    Before the last one it goes to the deputies, who were not asked before; the last one goes to everybody.
    """
    if message.state not in (MessageState.CONFIRM, MessageState.APPROVAL) or message.last_call is None:
        return moves.Refusal(reason=Refused.WRONG_STATE, message=message, text="nobody is waited for")
    last = now >= message.last_call
    asked = message.deputies
    if last or not asked:
        asked = (*message.approvers, *message.deputies)
    if message.gate is not Action.APPROVE:
        asked = ()
    edited = replace(message, remind_at=None if last else message.last_call)
    detail = {"asked": list(asked), "last": last}
    change = moves.step(Move.REMIND, message, edited, by=by, now=now, detail=detail)
    return Reminder(change=change, asked=asked, last=last)

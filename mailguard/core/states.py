"""The states of a message and of its recipients, and the one table of moves between them.

Everything that decides whether a message may go from one state to another lives here. A move that is
not in the table raises IllegalMove and changes nothing.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from mailguard.core.errors import IllegalMove


class MessageState(StrEnum):
    """Where a message is on its road."""

    HELD = "held"
    FROZEN = "frozen"
    CONFIRM = "confirm"
    APPROVAL = "approval"
    QUEUED = "queued"
    RELAYING = "relaying"
    SENT = "sent"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"

    @property
    def finished(self) -> bool:
        """Whether nothing will happen to the message any more unless its sender restores it."""
        return self in FINISHED


class RecipientState(StrEnum):
    """Where the message is on its way to one recipient."""

    WAITING = "waiting"
    SENT = "sent"
    DEFERRED = "deferred"
    DROPPED = "dropped"
    FAILED = "failed"


class Move(StrEnum):
    """Everything that can happen to a message after it was received."""

    CANCEL = "cancel"
    RESTORE = "restore"
    RELEASE = "release"
    CONFIRM = "confirm"
    APPROVE = "approve"
    REJECT = "reject"
    EXTEND = "extend"
    FREEZE = "freeze"
    THAW = "thaw"
    REMIND = "remind"
    EXPIRE = "expire"
    CLAIM = "claim"
    SETTLE = "settle"
    RECOVER = "recover"
    QUARANTINE = "quarantine"
    LATE = "late"


S = MessageState

FINISHED = frozenset({S.SENT, S.CANCELLED, S.REJECTED, S.EXPIRED, S.FAILED})

# States whose clock runs, or that a person must open: nothing of the gated part has left yet.
WAITING = frozenset({S.HELD, S.FROZEN, S.CONFIRM, S.APPROVAL, S.QUEUED})

# A message can be in several minds at once: with split rules some recipients are on their way while
# others wait. So a move names every state that it may lead to, and core/moves.py derives which.
_AFTER_RELAY = frozenset({S.HELD, S.FROZEN, S.CONFIRM, S.APPROVAL, S.QUEUED, S.SENT, S.FAILED, S.CANCELLED})
# What a cancel leaves behind: the message stays where it was while other recipients still wait; the last
# waiting recipient's drop makes it cancelled, though others may have left before.
_AFTER_CANCEL = frozenset({S.CANCELLED, S.HELD, S.FROZEN, S.CONFIRM, S.APPROVAL, S.QUEUED})

# Waiting with a running clock: where a message goes on from.
_CLOCK_RUNS = frozenset({S.HELD, S.QUEUED, S.CONFIRM, S.APPROVAL})

MOVES: Mapping[Move, Mapping[MessageState, frozenset[MessageState]]] = MappingProxyType(
    {
        Move.CANCEL: {
            S.HELD: _AFTER_CANCEL,
            S.FROZEN: _AFTER_CANCEL,
            S.CONFIRM: _AFTER_CANCEL,
            S.APPROVAL: _AFTER_CANCEL,
            S.QUEUED: _AFTER_CANCEL,
            # Those who wait are dropped; those in the upstream's ear are beyond a cancel.
            S.RELAYING: frozenset({S.RELAYING}),
        },
        # Back to where it waited: a gate that nobody has opened is still shut.
        Move.RESTORE: {
            S.CANCELLED: _CLOCK_RUNS,
            S.SENT: _CLOCK_RUNS,
            S.FAILED: _CLOCK_RUNS,
            S.HELD: _CLOCK_RUNS,
            S.QUEUED: _CLOCK_RUNS,
            S.CONFIRM: frozenset({S.CONFIRM}),
            S.APPROVAL: frozenset({S.APPROVAL}),
            S.FROZEN: frozenset({S.FROZEN}),
        },
        # Sending now is also a yes from whoever may say it; an approver's yes cannot be had this way.
        Move.RELEASE: {
            S.HELD: frozenset({S.QUEUED}),
            S.FROZEN: frozenset({S.QUEUED, S.APPROVAL}),
            S.CONFIRM: frozenset({S.QUEUED}),
        },
        Move.CONFIRM: {S.CONFIRM: frozenset({S.HELD, S.QUEUED})},
        Move.APPROVE: {S.APPROVAL: frozenset({S.HELD, S.QUEUED})},
        # HELD, QUEUED: the part that needed nobody's yes goes on.
        Move.REJECT: {S.APPROVAL: frozenset({S.REJECTED, S.HELD, S.QUEUED})},
        Move.EXTEND: {S.HELD: frozenset({S.HELD})},
        Move.FREEZE: {S.HELD: frozenset({S.FROZEN})},
        Move.THAW: {S.FROZEN: _CLOCK_RUNS},
        # Nothing changes but who was asked.
        Move.REMIND: {S.CONFIRM: frozenset({S.CONFIRM}), S.APPROVAL: frozenset({S.APPROVAL})},
        Move.EXPIRE: {
            S.CONFIRM: frozenset({S.EXPIRED, S.HELD, S.QUEUED}),
            S.APPROVAL: frozenset({S.EXPIRED, S.HELD, S.QUEUED}),
            # A stopped clock is not for ever: nothing may stay stuck.
            S.FROZEN: frozenset({S.EXPIRED}),
        },
        Move.CLAIM: {
            S.HELD: frozenset({S.RELAYING}),
            S.QUEUED: frozenset({S.RELAYING}),
            # The part that a split rule lets go while the rest waits for a person.
            S.CONFIRM: frozenset({S.RELAYING}),
            S.APPROVAL: frozenset({S.RELAYING}),
        },
        Move.SETTLE: {S.RELAYING: _AFTER_RELAY},
        # A guard that stopped in the middle of a relay: what it had in hand is tried again.
        Move.RECOVER: {S.RELAYING: _CLOCK_RUNS},
        # The answer that a guard got for what another one had taken over from it meanwhile.
        Move.LATE: {
            state: frozenset({state}) if state in FINISHED else _AFTER_RELAY | {state} for state in S
        },
        # The store was put back to an earlier time: what was on its way then may have left since.
        Move.QUARANTINE: {state: frozenset({S.FROZEN}) for state in S if state not in FINISHED},
    }
)


def allows(move: Move, state: MessageState) -> bool:
    """Whether the table has this move from this state."""
    return state in MOVES[move]


def check(move: Move, before: MessageState, after: MessageState) -> None:
    """Hold one step against the table.

    Raises IllegalMove where the table does not lead from `before` to `after` by `move`.
    """
    if after not in MOVES[move].get(before, frozenset()):
        raise IllegalMove(f"{move} does not lead from {before} to {after}")

"""What people decide about a held message: stop it, let it go, give it more time.

Every way in (command line, page, control mail) comes through here. A decision is computed by core/moves.py
and made by the store's compare-and-set; whoever loses that race is computed again on what is true by then.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

from mailguard.core import address, moves, seal
from mailguard.core.actor import Actor
from mailguard.core.answer import BY_REFUSAL, Answer, no_such, not_yours, what_is, what_left
from mailguard.core.errors import AmbiguousId, IllegalMove, NoSuchMessage
from mailguard.core.hold import Change, HeldMessage
from mailguard.core.identity import normalize
from mailguard.core.moves import Refusal, Refused
from mailguard.core.states import RecipientState
from mailguard.core.told import Told
from mailguard.core.value import replace
from mailguard.flow.bouncing import Bouncing
from mailguard.flow.noticing import Noticing
from mailguard.ports import Clock, Log, Store

Compute = Callable[[HeldMessage, datetime], moves.Result]

# Losing a race this often in a row is not chance any more.
ROUNDS = 16
# How long a person waits for an attempt that is under way, to hear how it ended rather than "busy".
PATIENCE = 3.0
POLL = 0.05
NOT_SEEN = "this is not the message that was shown; look at it again"
# A release time further away than this is a slip of the finger.
LONGEST_EXTENSION = timedelta(days=366)


class Decide:
    """The decisions, one method each; every answer is an Answer, never an exception about the message.

    `meant` is told of a message whose own sender said yes to it: he will not be asked again for the same.
    `noticing` writes to the sender where somebody else decided.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        log: Log,
        bouncing: Bouncing,
        wake: Callable[[datetime], None],
        meant: Callable[[HeldMessage], Awaitable[None]] | None = None,
        noticing: Noticing | None = None,
    ) -> None:
        self._noticing = noticing
        self._meant = meant
        self._store = store
        self._clock = clock
        self._log = log
        self._bouncing = bouncing
        self._wake = wake

    async def cancel(self, prefix: str, actor: Actor, only: Collection[str] = ()) -> Answer:
        """Stop the message, or drop only the recipients in `only`; done means never, unless restored."""
        wanted = {address.normal(text) for text in only}

        def compute(message: HeldMessage, now: datetime) -> moves.Result:
            chosen = {r.address for r in message.recipients if address.normal(r.address) in wanted}
            if wanted and not chosen:
                text = "it has no such recipient; its recipients are " + _addresses(message)
                return Refusal(reason=Refused.NO_RECIPIENT, message=message, text=text)
            return moves.cancel(message, chosen, by=actor.name, now=now)

        answer = await self._move(prefix, actor, compute)
        if _in_flight(answer, wanted):
            # Who waited is stopped; whoever is in the upstream's ear is stopped too if it says "later".
            second = await self._move(prefix, actor, compute)
            answer = second if second.message is not None else answer
            if second.told is Told.ALREADY:
                answer = Answer(told=Told.DONE, text=second.text, message=second.message)
        return _admit_departures(answer, wanted)

    async def restore(self, prefix: str, actor: Actor) -> Answer:
        """Take a cancel back."""
        return await self._move(prefix, actor, lambda m, now: moves.restore(m, by=actor.name, now=now))

    async def release(self, prefix: str, actor: Actor) -> Answer:
        """Send it now."""
        answer = await self._move(prefix, actor, lambda m, now: moves.release(m, by=actor.name, now=now))
        return await self._said_yes(answer, actor)

    async def confirm(self, prefix: str, actor: Actor) -> Answer:
        """The sender's yes."""
        answer = await self._move(prefix, actor, lambda m, now: moves.confirm(m, by=actor.name, now=now))
        return await self._said_yes(answer, actor)

    async def _said_yes(self, answer: Answer, actor: Actor) -> Answer:
        message = answer.message if answer.told is Told.DONE else None
        if self._meant is not None and message is not None and actor.owns(message):
            await self._meant(message)
        return answer

    async def approve(self, prefix: str, actor: Actor, seen: str = "") -> Answer:
        """The approver's yes. `seen` is the seal of the message that the approver was shown (core/seal.py);
        without it, it is the one that is there."""
        sealed = await self.seal(prefix)

        def compute(message: HeldMessage, now: datetime) -> moves.Result:
            if seen and sealed and seen.lower() != sealed:
                return Refusal(reason=Refused.WRONG_STATE, message=message, text=NOT_SEEN)
            return moves.approve(message, sealed, by=actor.name, now=now)

        answer = await self._move(prefix, actor, compute, may=Actor.may_approve)
        # Only the sentence counts: what is there now was not what the approver saw.
        return replace(answer, message=None) if answer.text.endswith(NOT_SEEN) else answer

    async def seal(self, prefix: str) -> str:
        """What a yes to this message names (core/seal.py); "" where there is none to say yes to."""
        try:
            message = await self._store.find(normalize(prefix))
        except (NoSuchMessage, AmbiguousId):
            return ""
        content = await self._store.content(message.id)
        # Megabytes take longer than the loop may stand still.
        return "" if content is None else await asyncio.to_thread(seal.seal, message, content)

    async def reject(self, prefix: str, actor: Actor, reason: str) -> Answer:
        """The approver's no; the message goes back to its sender with the reason."""

        content: bytes | None = None
        with contextlib.suppress(NoSuchMessage, AmbiguousId):
            content = await self._store.content((await self._store.find(normalize(prefix))).id)

        def compute(message: HeldMessage, now: datetime) -> moves.Result:
            result = moves.reject(message, reason, by=actor.name, now=now)
            return self._bouncing.rejected(result, reason, content) if isinstance(result, Change) else result

        return await self._move(prefix, actor, compute, may=Actor.may_approve)

    async def extend(
        self, prefix: str, actor: Actor, *, by: timedelta | None, until: datetime | None
    ) -> Answer:
        """More time: `by` longer, or `until` a time; exactly one of the two is given."""

        def later(told: datetime) -> datetime:
            return until if until is not None else told + (by or timedelta(0))

        def compute(message: HeldMessage, now: datetime) -> moves.Result:
            wrong = _bad_extension(by, until, now)
            if wrong:
                return Refusal(reason=Refused.WRONG_STATE, message=message, text=wrong)
            return moves.extend(message, later, by=actor.name, now=now)

        return await self._move(prefix, actor, compute)

    async def freeze(self, prefix: str, actor: Actor) -> Answer:
        """Stop the clock."""
        return await self._move(prefix, actor, lambda m, now: moves.freeze(m, by=actor.name, now=now))

    async def thaw(self, prefix: str, actor: Actor) -> Answer:
        """Start the clock again."""
        return await self._move(prefix, actor, lambda m, now: moves.thaw(m, by=actor.name, now=now))

    async def _move(
        self,
        prefix: str,
        actor: Actor,
        compute: Compute,
        may: Callable[[Actor, HeldMessage], bool] = Actor.may_act_on,
    ) -> Answer:
        patience = self._clock.monotonic() + PATIENCE
        rounds = 0
        while True:
            try:
                message = await self._store.find(normalize(prefix))
            except NoSuchMessage:
                return no_such(prefix)
            except AmbiguousId:
                return Answer(told=Told.REFUSED, text=f"{prefix!r} begins several ids; give more letters")
            if not may(actor, message):
                return not_yours(prefix, message, "decide about")
            try:
                result, made = await self._made(message, compute, actor)
            except IllegalMove as error:
                self._log.trouble("illegal_move", id=message.id, fault=str(error))
                return Answer(told=Told.REFUSED, text=f"{message.id}: {error}", message=message)
            if isinstance(result, Refusal):
                if _in_the_air(result) and self._clock.monotonic() < patience:
                    await self._clock.sleep(POLL)
                    continue
                return _refused(result)
            if made:
                return self._done(result, actor)
            rounds += 1
            if rounds >= ROUNDS:
                return Answer(told=Told.TRY_LATER, text=f"{message.id} is changing right now; try again")

    async def _made(self, message: HeldMessage, compute: Compute, actor: Actor) -> tuple[moves.Result, bool]:
        """The move, and whether it was made before the message changed."""
        with self._clock.steady():
            result = compute(message, self._clock.now())
            if isinstance(result, Refusal):
                return result, False
            if self._noticing is not None:
                result = await self._noticing.decided(result, actor)
            return result, await self._store.apply(result)

    def _done(self, change: Change, actor: Actor) -> Answer:
        after = change.after
        self._log.event(change.event.event, id=after.id, by=actor.name, state=after.state.value)
        if after.due_at is not None:
            self._wake(after.due_at)
        for new in change.adds:
            if new.message.due_at is not None:
                self._wake(new.message.due_at)
        return Answer(told=Told.DONE, text=what_is(after), message=after)


def _in_the_air(refusal: Refusal) -> bool:
    """Whether the answer hangs on an attempt that is under way at this moment."""
    unsure = refusal.reason in (Refused.BUSY, Refused.TOO_LATE)
    return unsure and any(recipient.in_flight for recipient in refusal.message.recipients)


def _in_flight(answer: Answer, wanted: Collection[str]) -> bool:
    """Whether a cancel that stopped some left others whose attempt is still under way."""
    return answer.told is Told.DONE and any(
        r.in_flight and (not wanted or address.normal(r.address) in wanted)
        for r in (answer.message.recipients if answer.message else ())
    )


def _refused(refusal: Refusal) -> Answer:
    text = f"{refusal.message.id}: {refusal.text}"
    if refusal.reason is Refused.TOO_LATE:
        text = f"{text}: {what_left(refusal.message)}"
    return Answer(told=BY_REFUSAL[refusal.reason], text=text, message=refusal.message)


def _admit_departures(answer: Answer, wanted: Collection[str]) -> Answer:
    """A cancel that came too late for some says so, though the others were stopped."""
    if answer.told is not Told.DONE or answer.message is None:
        return answer
    gone = [
        r
        for r in answer.message.recipients
        if (not wanted or address.normal(r.address) in wanted)
        and (r.in_flight or r.maybe_sent or r.state is RecipientState.SENT)
    ]
    if not gone:
        return answer
    text = f"{answer.message.id}: what was left is stopped, but {what_left(answer.message)}"
    return Answer(told=Told.TOO_LATE, text=text, message=answer.message)


def _bad_extension(by: timedelta | None, until: datetime | None, now: datetime) -> str:
    if (by is None) == (until is None):
        return "give either a time to add or a time to wait for"
    if by is not None and not timedelta(0) < by <= LONGEST_EXTENSION:
        return "the time to add must be more than nothing and at most a year"
    if until is not None and not now < until <= now + LONGEST_EXTENSION:
        return "the time to wait for must lie ahead, at most a year"
    return ""


def _addresses(message: HeldMessage) -> str:
    return ", ".join(recipient.address for recipient in message.recipients)

"""One attempt at the upstream: one transaction for all recipients, and an answer for each."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from mailguard.core.delivery import Answer, Outcome
from mailguard.core.hold import Claimed
from mailguard.core.value import replace
from mailguard.edge.smtp_out.commands import Order, Sending, Unsendable, Whom
from mailguard.edge.smtp_out.opening import Refused
from mailguard.edge.smtp_out.options import UpstreamOptions
from mailguard.edge.smtp_out.outage import Out, Outage
from mailguard.edge.smtp_out.parcel import Parcel, Planned, all_later, outcome, outcomes_of, plan
from mailguard.edge.smtp_out.places import Places
from mailguard.edge.smtp_out.pool import Pool
from mailguard.edge.smtp_out.session import Answers, Interrupted, Session
from mailguard.ports import NotOffered

_CLOSING = 421
# What a server says to MAIL that takes nothing from us now, whatever the message is: not accepting messages,
# congestion, and the policies behind 4.7 (RFC 3463).
_NOT_NOW = ("4.3.2", "4.4.5", "4.7.")


class SmtpRelay:
    """ports.Relay over SMTP. Recipients of one message share one transaction, so that the upstream sees one
    message to several people, Bcc included, as its sender meant it."""

    def __init__(self, options: UpstreamOptions) -> None:
        self._options = options
        self._pool = Pool(options)
        self._places = Places(options.connections)
        self._outage = Outage(first=options.first_pause, longest=options.longest_pause)

    async def attempt(self, claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        """Try every in-flight recipient once; never raises for anything that a network or server does.

        Cancelled before the whole message may have left, it raises NotOffered.
        """
        message = claimed.message
        return await self.offer(message, [each for each in message.recipients if each.in_flight], content)

    async def offer(self, message: Sending, recipients: Sequence[Whom], content: bytes) -> Sequence[Outcome]:
        """The same for whoever has only the envelope."""
        parcel = Parcel(message=message, recipients=recipients, content=content)
        place = self._options.place
        try:
            announced = await self._places.take(parcel)
            try:
                return await self._attempt(parcel, announced=announced)
            finally:
                self._leave_place(parcel)
        except Out as error:
            return all_later(recipients, f"4.4.1 Not offered yet to {place}, which is out: {error}")
        except Refused as error:
            self._outage.failed(str(error))
            return all_later(recipients, f"4.4.1 No session with {place}: {error}")
        except Interrupted as error:
            self._outage.broke(str(error))
            return all_later(recipients, _broken_off(place, error), ambiguous=error.ambiguous)
        except Unsendable as error:
            return [outcome(r, Answer.NEVER, str(error)) for r in recipients]
        except asyncio.CancelledError as error:
            if parcel.session is not None and parcel.session.may_have_arrived:
                raise
            raise NotOffered from error

    async def look(self, next_due: datetime | None) -> None:
        """Nothing: it is asked when there is something to send."""

    def told(self) -> str | None:
        """Why nothing leaves; None where it does."""
        if not (reason := self._outage.reason):
            return None
        return f"the outgoing server {self._options.place} is out: {reason}; see to it, or to [upstream]"

    def refuses(self) -> bool:
        """Never: what comes in waits."""
        return False

    async def close(self) -> None:
        """Say goodbye to the upstream."""
        await self._pool.close()

    async def _attempt(self, parcel: Parcel, *, announced: bool) -> Sequence[Outcome]:
        planned, parcel.planned = parcel.planned, None
        if announced and planned is not None:
            outcomes = await self._use_again(planned.session, parcel, planned)
            if outcomes is not None:
                return outcomes
        turn = await self._outage.turn()
        try:
            session = self._pool.reusable()
            outcomes = None if session is None else await self._use_again(session, parcel)
            if outcomes is None:
                outcomes = await self._use(await self._pool.fresh(), parcel)
            return outcomes or []
        finally:
            self._outage.asked(turn)

    async def _use_again(
        self, session: Session, parcel: Parcel, planned: Planned | None = None
    ) -> Sequence[Outcome] | None:
        """None where a connection that was used before turns out to be of no more use, and nobody was offered
        anything over it."""
        try:
            return await self._use(session, parcel, planned)
        except Interrupted as error:
            # It went away while it was idle: the message was never offered.
            if error.begun or error.ambiguous:
                raise
            if planned is not None and isinstance(error.__cause__, TimeoutError):
                # It has not read what came behind the message before.
                self._pool.slow_down()
            return None

    async def _use(
        self, session: Session, parcel: Parcel, planned: Planned | None = None
    ) -> Sequence[Outcome] | None:
        """None where a reused connection turns out to be closing before anything was offered."""
        reused = session.messages > 0
        parcel.session = session
        try:
            planned = planned or self._plan(session, parcel)
            if not planned.asked:
                return [planned.settled[index] for index in range(len(parcel.recipients))]
            answers = await self._deliver(session, planned.order)
        finally:
            if parcel.behind is None:
                self._pool.give_back(session)
        if reused and answers.mail.code == _CLOSING:
            return None
        whole = self._judge(answers)
        found = outcomes_of(planned, parcel.recipients, answers, dsn="dsn" in session.offers)
        outcomes = [found[index] for index in range(len(parcel.recipients))]
        if not whole:
            return outcomes
        return [replace(o, upstream=o.answer is Answer.LATER) for o in outcomes]

    def _plan(self, session: Session, parcel: Parcel) -> Planned:
        """Raises Unsendable."""
        return plan(session, parcel, self._outage.over, partial(self._announced, session, parcel))

    def _announced(self, session: Session, parcel: Parcel) -> Order | None:
        """Who waits longest for a connection gets the one that this parcel is about to be done with."""
        behind = self._places.first()
        if behind is None:
            return None
        try:
            planned = self._plan(session, behind)
        except Unsendable:
            # It hears that when it has a place.
            return None
        if not planned.asked:
            return None
        self._places.promise()
        behind.planned, parcel.behind = planned, behind
        return planned.order

    def _leave_place(self, parcel: Parcel) -> None:
        session, behind = parcel.session, parcel.behind
        if behind is None or session is None:
            self._places.free()
        elif not self._places.leave_to(behind, connected=session.promised):
            # It was cancelled. The server waits for its content, and gets none.
            session.abort()
            self._places.free()

    async def _deliver(self, session: Session, order: Order) -> Answers:
        """Raises Interrupted. Whoever cannot follow an envelope in one go is not sent one again."""
        try:
            answers = await session.deliver(order)
        except Interrupted as error:
            if session.pipelined and error.begun and not error.wanted:
                self._pool.slow_down()
            raise
        if session.lost_count:
            self._pool.slow_down()
        return answers

    def _judge(self, answers: Answers) -> bool:
        """Whether the answers are about us, and not about the message."""
        replies = [answers.mail, *answers.rcpts, *([answers.data] if answers.data else [])]
        away = next((reply for reply in replies if reply.code == _CLOSING), None)
        if away is None and 400 <= answers.mail.code < 500 and answers.mail.text.startswith(_NOT_NOW):
            away = answers.mail
        if away is None:
            self._outage.went_well()
        else:
            self._outage.failed(str(away))
        return away is not None


def _broken_off(place: str, error: Interrupted) -> str:
    doubt = "; the message was sent and not answered, so it may have arrived" if error.ambiguous else ""
    return f"4.4.2 The session with {place} broke off: {error}{doubt}"

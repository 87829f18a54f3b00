"""The process that speaks SMTP, seen from the one that keeps.

It has the sessions of clients, reads and judges what they hand in, with the memory that this takes, and hands
what has been released to the upstream. Here are the store, the timer and the page. The two are one guard:
neither goes on without the other, and the lock of the state directory is held by both.
"""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, Self

from mailguard.app import crossing, speaking
from mailguard.app.crossing import About, Handed, Weighed
from mailguard.app.far import RECORDS, THREADS, FarRecalling
from mailguard.app.parts import Means, Queue
from mailguard.app.smtp import GRACE, Addresses, Taking, timed
from mailguard.core.delivery import Outcome, all_later
from mailguard.core.envelope import Envelope, Recipient
from mailguard.core.errors import ConfigurationError, FrontGone
from mailguard.core.hold import Claimed
from mailguard.core.reply import Reply
from mailguard.core.value import dataclass
from mailguard.edge.channel import NOT_BEGUN, AnswerFailed, Channel, ChannelLost, NotSent, Stopped
from mailguard.edge.config import RulesFile, Settings
from mailguard.edge.smtp_in import Accept, incident, place
from mailguard.flow.guessing import Tried
from mailguard.ports import NotOffered

# Seconds for it to end by itself, and to say how it is or goodbye.
PATIENCE = 5.0
# How often it hears that it is not alone; several times in what it waits for (speaking.ALONE).
BEAT = 1.0


# How an offer ends that was broken off, and of these, where the upstream cannot have the message.
_NOT_OFFERED = (NotOffered.__name__, NOT_BEGUN)
_BROKEN_OFF = (*_NOT_OFFERED, asyncio.CancelledError.__name__)


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """What the process that keeps has for the one that speaks."""

    means: Means
    queue: Queue
    taking: Taking


class Front:
    """Made before anything else runs in the process. It is `ports.Watched`, and `relay` is the way out."""

    def __init__(self, pid: int, end: socket.socket, rules: RulesFile) -> None:
        self._pid = pid
        self._end = end
        self._gone = asyncio.Event()
        self._channel: Channel | None = None
        self._keeping: Keeping | None = None
        self._seen = crossing.Seen()
        self.relay = FrontRelay(self)
        self.recalling = FarRecalling(lambda: self.channel, rules, lambda: self._seen)

    @classmethod
    def fork(cls, settings: Settings, rules: RulesFile) -> Self:
        """The process is there, and waits to be told what to do. No thread may run yet."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            speaking.run(settings, rules, theirs)
        theirs.close()
        return cls(pid, ours, rules)

    def end(self) -> None:
        """Let it end, and wait until it has: its end of the channel closes with ours."""
        self._end.close()
        until = time.monotonic() + PATIENCE
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(self._pid, os.WNOHANG) == (0, 0):
                if time.monotonic() > until:
                    os.kill(self._pid, signal.SIGKILL)
                time.sleep(0.005)

    # ---- in the loop

    async def connect(self) -> None:
        """Begin to talk to it."""
        channel = Channel(answer=self._answer, hear=self._hear, fault=self._fault, lost=self._gone.set)
        await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=self._end)
        self._channel = channel

    def disconnect(self) -> None:
        """Nothing more is to be said: it may end."""
        self.channel.close()

    @property
    def channel(self) -> Channel:
        """Raises ChannelLost before it is connected."""
        if self._channel is None:
            raise ChannelLost("not connected")
        return self._channel

    async def run(self) -> None:
        """Until it is gone, which raises FrontGone."""
        while not self._gone.is_set():
            self.channel.tell(About.ALIVE, b"")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT):
                    await self._gone.wait()
        raise FrontGone("the process that speaks SMTP has ended; the log or the system's journal has more")

    @property
    def keeping(self) -> Keeping:
        """Raises ChannelLost before the ways in are open."""
        if self._keeping is None:
            raise ChannelLost("not open")
        return self._keeping

    @asynccontextmanager
    async def opened(self, means: Means, queue: Queue, taking: Taking) -> AsyncIterator[Addresses]:
        """As smtp.opened_smtp."""
        self._keeping = Keeping(means=means, queue=queue, taking=taking)
        means.rules.taken = self._tell_rules
        opened = crossing.read_opened(await self.channel.ask(About.OPEN, self._moment()))
        if opened.faults:
            raise ConfigurationError(opened.faults)
        try:
            yield opened.addresses
        finally:
            await self._ask_in_time(About.CLOSE, GRACE.total_seconds() + PATIENCE)

    def tried(self, tried: Tried) -> None:
        """Somebody tried a password elsewhere."""
        if self._channel is not None:
            self._channel.tell(About.TRIED, crossing.written(tried))

    async def look(self, next_due: datetime | None) -> None:
        """Ask it how it is, and let it know what time it is here."""
        with contextlib.suppress(ChannelLost):
            seen = await self._ask_in_time(About.LOOK, PATIENCE, self._moment())
            if seen is not None:
                self._seen = crossing.read_seen(seen)

    async def goodbye(self) -> None:
        """Let it say goodbye to the upstream."""
        await self._ask_in_time(About.GOODBYE, PATIENCE)

    async def _ask_in_time(self, about: About, seconds: float, head: bytes = b"") -> bytes | None:
        """None where it is gone, or hangs: it is ended by force then (`end`)."""
        with contextlib.suppress(ChannelLost, TimeoutError):
            async with asyncio.timeout(seconds):
                return await self.channel.ask(about, head)
        return None

    def told(self) -> str | None:
        """What is wrong with its open files."""
        return self._seen.files

    def refuses(self) -> bool:
        """Whether clients are turned away."""
        return self._seen.refuses

    @property
    def upstream(self) -> str | None:
        """What is wrong with the upstream."""
        return self._seen.upstream

    def _moment(self) -> bytes:
        clock = self.keeping.means.clock
        return crossing.written(crossing.Moment(now=clock.now(), adoptions=clock.adoptions))

    async def _answer(self, about: int, head: bytes, content: bytes) -> bytes:
        if about == About.TAKE:
            return crossing.written(await self._taken(crossing.read_weighed(head), content))
        if about == About.STILL:
            return self._final(crossing.read_final(head))
        if about == About.RECORDS:
            return await RECORDS.answer(self.keeping.queue.kept.records, head)
        if about == About.THREADS:
            return await THREADS.answer(self.keeping.queue.kept.memory, head)
        take = self.keeping.taking.learn if about == About.LEARN else self.keeping.taking.accept
        return crossing.written(await self._from_us(take, crossing.read_handed(head), content))

    async def _taken(self, weighed: Weighed, content: bytes) -> Reply:
        """A message that was judged there; anew here, where that was by other rules or another clock."""
        means, taking, one = self.keeping.means, self.keeping.taking, weighed.handed
        if weighed.adoptions != means.clock.adoptions:
            self.channel.tell(About.LOOK, self._moment())
            return await self._from_us(taking.accept, one, content)
        if not self._in_force(weighed.rules):
            return await self._from_us(taking.accept, one, content)
        submission = crossing.submitted(one, content, weighed.received_at)
        take = partial(self.keeping.queue.receive.take, judged=weighed.judged, within=weighed.within)
        return await self._safely(timed(take, means, submission, weighed.spent), one.peer)

    def _in_force(self, rules: str) -> bool:
        """Whether these are our rules; where they are not, it hears ours once more."""
        if rules == self.keeping.means.rules.in_force:
            return True
        self._tell_rules()
        return False

    def _tell_rules(self) -> None:
        self.channel.tell(About.RELOAD, self.keeping.means.rules.content)

    def _final(self, final: crossing.Final) -> bytes:
        if not self._in_force(final.rules):
            return b""
        self.keeping.means.log.accepts.add(final.spent)
        return b"yes"

    async def _from_us(self, take: Accept, one: Handed, content: bytes) -> Reply:
        # The time in it must not be older than the step that reckons with it (ports.Clock.steady).
        submission = crossing.submitted(one, content, self.keeping.means.clock.now())
        return await self._safely(take(submission), one.peer)

    async def _safely(self, taking: Coroutine[Any, Any, Reply], peer: str) -> Reply:
        """As in a session: a fault of ours is a temporary refusal."""
        try:
            return await taking
        except Exception as error:  # noqa: BLE001  the client must be answered
            return incident(self.keeping.means.log, error, peer)

    def _hear(self, about: int, head: bytes) -> None:
        if about == About.TRIED:
            self.keeping.taking.guessing.hear(crossing.read_tried(head))
        elif about == About.LOG:
            line, log = crossing.read_logged(head), self.keeping.means.log
            (log.trouble if line.trouble else log.event)(line.name, **line.fields)

    def _fault(self, error: Exception) -> None:
        """What went wrong at a question of the other process, which hears only of what kind it was."""
        if self._keeping is not None:
            told = {"error": type(error).__name__, "where": place(error)}
            self._keeping.means.log.trouble("channel_fault", **told)


class FrontRelay:
    """ports.Relay, and ports.Watched: the upstream is spoken to there."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def attempt(self, claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        """Try every in-flight recipient once."""
        message = claimed.message
        recipients = tuple(
            Recipient(address=each.address, notify=each.notify, orcpt=each.orcpt)
            for each in message.recipients
            if each.in_flight
        )
        envelope = Envelope(sender=message.sender, recipients=recipients, parameters=message.parameters)
        try:
            answer = await self._front.channel.ask_or_stop(About.OFFER, crossing.written(envelope), content)
        except Stopped as stopped:
            if stopped.how in _NOT_OFFERED:
                raise NotOffered from stopped
            raise
        except NotSent as error:
            return all_later(message, f"4.3.0 {error}")
        except ChannelLost as error:
            return all_later(message, f"4.3.0 {error}, so it may have arrived", ambiguous=True)
        except AnswerFailed as failed:
            if str(failed) not in _BROKEN_OFF:
                raise
            return all_later(message, "4.3.0 Broken off", ambiguous=str(failed) not in _NOT_OFFERED)
        return crossing.read_outcomes(answer)

    async def look(self, next_due: datetime | None) -> None:
        """Nothing: the front is looked at."""

    def told(self) -> str | None:
        """Why nothing leaves; None where it does."""
        return self._front.upstream

    def refuses(self) -> bool:
        """Never: what comes in waits."""
        return False

    async def close(self) -> None:
        """Say goodbye to the upstream."""
        await self._front.goodbye()

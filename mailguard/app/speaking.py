"""What the process does that speaks SMTP: the sessions of clients, and those with the upstream.

It reads and judges what clients hand in, by the memory that it has for that, and asks the process that keeps
to take it. On the disk it has nothing: when the other process is gone, it ends on the spot, because nothing
may leave that nobody answers for.
"""

import asyncio
import ctypes
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, NoReturn

import uvloop

from mailguard.app import crossing
from mailguard.app.crossing import About, Logged, Weighed
from mailguard.app.far import RECALLS, FarRecords
from mailguard.app.parts import relay_of
from mailguard.app.remembering import recalling_of
from mailguard.app.smtp import Place, Taking, opened_smtp
from mailguard.core import control_mail
from mailguard.core.envelope import Envelope, Submission
from mailguard.core.errors import ConfigurationError
from mailguard.core.reply import Reply
from mailguard.core.value import replace
from mailguard.edge.accounts import UsersFile
from mailguard.edge.bodies import BodyReader
from mailguard.edge.channel import Channel
from mailguard.edge.clock import SystemClock, elapsed
from mailguard.edge.config import RulesFile, Settings
from mailguard.edge.listeners import OpenFiles
from mailguard.edge.smtp_in import SmtpOptions, place
from mailguard.edge.smtp_out import SmtpRelay
from mailguard.flow.guessing import Guessing, Tried
from mailguard.flow.judging import Judging, Refused
from mailguard.flow.knowing import Knowing
from mailguard.flow.receive import patience
from mailguard.ports import NotOffered

# Seconds without word of the other process, after which nothing more is handed to the upstream. A guard's
# lease lasts for fifteen from its last renewal, of which three may be over and two are a reserve.
ALONE = 6.0
# prctl(2).
_PR_SET_PDEATHSIG = 1


def run(settings: Settings, rules: RulesFile, end: socket.socket) -> NoReturn:
    """Until the other end of the channel is gone."""
    try:
        # The terminal and the service manager tell everybody; the other process says when it is time.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _end_with_parent()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_Front(settings, rules).run(end))
    except BaseException:  # noqa: BLE001  nothing of the other process's own way to its end may run here
        traceback.print_exc()
    finally:
        os._exit(1)


def _end_with_parent() -> None:
    """Where the system can do that, even a busy or hanging one ends with the other process."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end() -> None:
    os._exit(0)


def _end_with(task: "asyncio.Task[None]") -> None:
    """What is to go on for ever has ended: the other process says so, and the guard is started anew."""
    if not task.cancelled() and (error := task.exception()) is not None:
        traceback.print_exception(error)
    os._exit(1)


class _Front:
    def __init__(self, settings: Settings, rules: RulesFile) -> None:
        self._settings = settings
        self._rules = rules
        self._adoptions = -1
        # When the other process was heard of last, whether that is too long ago, and what is being offered.
        self._heard = 0.0
        self._alone = False
        self._offering: set[asyncio.Task[Any]] = set()
        self._adopting: asyncio.Task[None] | None = None
        self._clock = SystemClock()
        self._doors = AsyncExitStack()
        upstream = relay_of(settings)
        self._relay = upstream if isinstance(upstream, SmtpRelay) else None

    async def run(self, end: socket.socket) -> None:
        self._channel = Channel(answer=self._answer, hear=self._hear, fault=self._fault, lost=_end)
        self._log = _FarLog(self._channel)
        self._files = OpenFiles(self._log)
        options = SmtpOptions(hostname=self._settings.hostname)
        self._guessing = Guessing(options, self._clock.monotonic, self._tried)
        await asyncio.get_running_loop().create_unix_connection(lambda: self._channel, sock=end)
        await asyncio.Event().wait()

    async def _answer(self, about: int, head: bytes, content: bytes) -> bytes:
        if about == About.OFFER and self._relay is not None:
            return await self._offer(self._relay, crossing.read_envelope(head), content)
        if about == About.OPEN:
            return await self._open(head)
        if about == About.LOOK:
            return await self._look(head)
        if about == About.RECALLS:
            return await RECALLS.answer(self._recalling, head)
        if about == About.CLOSE:
            await self._doors.aclose()
        elif about == About.GOODBYE and self._relay is not None:
            await self._relay.close()
        return b""

    async def _offer(self, relay: SmtpRelay, envelope: Envelope, content: bytes) -> bytes:
        if self._alone:
            raise NotOffered
        task = asyncio.current_task()
        if task is not None:
            self._offering.add(task)
        try:
            return crossing.written(await relay.offer(envelope, envelope.recipients, content))
        finally:
            if task is not None:
                self._offering.discard(task)

    async def _watch(self) -> None:
        """Where several guards share a queue, one that stands still is taken over from: what it has in hand
        must not go on leaving (flow/while_held.py), and only the other process knows until when."""
        while True:
            await asyncio.sleep(ALONE / 10)
            self._alone = self._clock.monotonic() - self._heard > ALONE
            if self._alone:
                for task in tuple(self._offering):
                    task.cancel()

    def _fault(self, error: Exception) -> None:
        self._log.trouble("channel_fault", error=type(error).__name__, where=place(error))

    async def _open(self, head: bytes) -> bytes:
        self._go_by(head)
        self._remember()
        accounts = UsersFile(self._settings.accounts.file, clock=self._clock, log=self._log)
        self._doors.callback(accounts.close)
        place = Place(settings=self._settings, clock=self._clock, files=self._files, log=self._log)
        taking = Taking(accept=self._accept, learn=self._learn, accounts=accounts, guessing=self._guessing)
        try:
            addresses = await self._doors.enter_async_context(opened_smtp(place, taking))
        except ConfigurationError as error:
            return crossing.written(crossing.Opened(addresses={}, faults=error.faults))
        return crossing.written(crossing.Opened(addresses=addresses))

    def _remember(self) -> None:
        """The memory, made from the records of the other process."""
        settings, records = self._settings, FarRecords(self._channel)
        shared = settings.database is None
        self._recalling = recalling_of(settings, records, self._rules, self._clock, self._log, shared=shared)
        knows = Knowing(threads=records, recalling=self._recalling, log=self._log)
        self._judging = Judging(knows=knows, bodies=BodyReader(), log=self._log, hostname=settings.hostname)
        self._heard = self._clock.monotonic()
        beside = [self._recalling.run(), *([self._watch()] if shared else [])]
        self._beside = [asyncio.create_task(work) for work in beside]
        for task in self._beside:
            task.add_done_callback(_end_with)

    async def _look(self, head: bytes) -> bytes:
        self._go_by(head)
        await self._files.look(None)
        upstream = self._relay.told() if self._relay is not None else None
        seen = crossing.Seen(
            files=self._files.told(),
            upstream=upstream,
            refuses=self._files.refuses(),
            ready=self._recalling.ready,
            mails=self._recalling.mails,
        )
        return crossing.written(seen)

    def _go_by(self, head: bytes) -> None:
        """One clock for both: the other process's."""
        moment = crossing.read_moment(head)
        self._clock.follow(_from(moment.now))
        self._adoptions = moment.adoptions

    async def _accept(self, submission: Submission) -> Reply:
        recipients = submission.envelope.recipients
        if any(control_mail.addressed(one.address, self._settings.hostname) for one in recipients):
            return await self._handed(About.ACCEPT, submission)
        begun = asyncio.get_running_loop().time()
        # Before anything is waited for: what they say is what the message is judged by.
        rules, adoptions = self._rules.in_force, self._adoptions
        try:
            judged = await self._judging.judged(submission, self._rules.current)
            spent = asyncio.get_running_loop().time() - begun
            if isinstance(judged, Refused):
                return await self._refused(submission, judged, crossing.Final(rules=rules, spent=spent))
            weighed = Weighed(
                handed=crossing.handed(submission),
                received_at=submission.received_at,
                judged=judged,
                rules=rules,
                adoptions=adoptions,
                within=patience(submission) - spent,
                spent=spent,
            )
            head = crossing.written(weighed)
        except UnicodeEncodeError:
            # Text that cannot be written down: bytes of a header that are in no charset.
            return await self._handed(About.ACCEPT, submission)
        return crossing.read_reply(await self._channel.ask(About.TAKE, head, submission.content))

    async def _refused(self, submission: Submission, refused: Refused, final: crossing.Final) -> Reply:
        """The refusal, unless the rules have changed since."""
        if await self._channel.ask(About.STILL, crossing.written(final)):
            refused.tell(self._log)
            return refused.reply
        return await self._handed(About.ACCEPT, submission)

    async def _learn(self, submission: Submission) -> Reply:
        return await self._handed(About.LEARN, submission)

    async def _handed(self, about: About, submission: Submission) -> Reply:
        head = crossing.written(crossing.handed(submission))
        return crossing.read_reply(await self._channel.ask(about, head, submission.content))

    def _tried(self, tried: Tried) -> None:
        self._channel.tell(About.TRIED, crossing.written(tried))

    def _hear(self, about: int, head: bytes) -> None:
        if about == About.ALIVE:
            self._heard = self._clock.monotonic()
        elif about == About.TRIED:
            self._guessing.hear(crossing.read_tried(head))
        elif about == About.LOOK:
            self._go_by(head)
        elif about == About.RELOAD:
            # One after the other, in their order (RulesFile).
            self._adopting = asyncio.create_task(self._rules.adopt(head))


class _FarLog:
    """ports.Log: one process writes all lines."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def event(self, name: str, /, **fields: object) -> None:
        self._tell(Logged(name=name, trouble=False, fields=fields))

    def trouble(self, name: str, /, **fields: object) -> None:
        self._tell(Logged(name=name, trouble=True, fields=fields))

    def _tell(self, line: Logged) -> None:
        try:
            head = crossing.written(line)
        except UnicodeEncodeError:
            # Something that a client said in no charset.
            head = crossing.written(
                replace(line, fields={key: _plain(one) for key, one in line.fields.items()})
            )
        self._channel.tell(About.LOG, head)


def _from(moment: datetime) -> Callable[[], float]:
    """Seconds since 1970, from this moment on."""
    begun, first = elapsed(), moment.astimezone(UTC).timestamp()
    return lambda: first + elapsed() - begun


def _plain(value: object) -> object:
    return value.encode("ascii", "backslashreplace").decode() if isinstance(value, str) else value

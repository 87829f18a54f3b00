"""The program, from the lock to the last goodbye; what is opened first is closed last."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from mailguard.app import web
from mailguard.app.doors import opened_doors
from mailguard.app.parts import PAGE, Means, Queue, once_link, opened_queue, relay_of, upstream_name
from mailguard.app.smtp import GRACE, Addresses
from mailguard.core.actor import ADMIN
from mailguard.core.errors import ConfigurationError, Fault, FrontGone, StoreError, UnknownSchema
from mailguard.core.news import Topic
from mailguard.core.value import dataclass
from mailguard.edge import oplog, systemd
from mailguard.edge.allocation import give_back_large_blocks
from mailguard.edge.clock import SystemClock
from mailguard.edge.config import RulesFile, Settings, load_settings
from mailguard.edge.counting import CountingLog
from mailguard.edge.listeners import OpenFiles
from mailguard.edge.smtp_out import SmtpRelay
from mailguard.edge.store import StateLock
from mailguard.ports import Log

if TYPE_CHECKING:
    from mailguard.app.front import Front

Json = dict[str, object]

SWITCH_INTERVAL = 0.0005


@dataclass(frozen=True, kw_only=True)
class Signals:
    """What the operator may say to the process."""

    stop: asyncio.Event
    reload: asyncio.Event


def ask_stopped(config: Path | None, request: Mapping[str, object]) -> Json:
    """One request to the store itself, while no guard runs.

    Raises ConfigurationError, and StoreLocked where a guard has the store after all.
    """
    settings = load_settings(config)
    return asyncio.run(_ask_stopped(settings, request))


async def _ask_stopped(settings: Settings, request: Mapping[str, object]) -> Json:
    log = oplog.configure(oplog.LogFormat(settings.log.format), "error")
    means = _means(settings, RulesFile.load(settings.rules_file), log)

    def about() -> Json:
        return {"running": False, "listeners": {}, "upstream": upstream_name(settings)}

    with StateLock.take(settings.state_dir):
        async with opened_queue(means, relay_of(settings), about) as queue:
            # The last guard may have been cut off in mid-relay; an answer must know of it.
            await queue.recover()
            if request.get("verb") == "try":
                await queue.recalling.make()
            return await queue.desk.answer(request, ADMIN)


def serve(config: Path | None) -> int:
    """Run the guard until it is told to stop; the exit code."""
    try:
        settings = load_settings(config)
        rules = RulesFile.load(settings.rules_file)
        log = oplog.configure(oplog.LogFormat(settings.log.format), settings.log.level)
        web.loaded(settings)
        # The store's thread asks for the interpreter's lock at every step; with Python's 5 ms it starves
        # beside a busy loop (docs/decisions/0001).
        sys.setswitchinterval(SWITCH_INTERVAL)
        give_back_large_blocks()
        # Until the loop listens; then the signal reloads the rules.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with (
            StateLock.take(settings.state_dir),
            _front(settings, rules) as front,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(_serve(_means(settings, rules, log), front))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (UnknownSchema, FrontGone) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (StoreError, OSError) as error:
        sys.stderr.write(f"mailguard cannot start: {error}\n")
        return 75 if isinstance(error, StoreError) else 1
    return 0


@contextmanager
def _front(settings: Settings, rules: RulesFile) -> "Iterator[Front | None]":
    """The process that speaks SMTP, where it is wanted: there before there are threads, and gone before the
    lock is."""
    if not settings.smtp.own_process:
        yield None
        return
    # Its libraries take a while to load.
    from mailguard.app.front import Front  # noqa: PLC0415

    front = Front.fork(settings, rules)
    try:
        yield front
    finally:
        front.end()


def _means(settings: Settings, rules: RulesFile, log: Log) -> Means:
    counting = CountingLog(log)
    files = OpenFiles(counting)
    return Means(settings=settings, rules=rules, clock=SystemClock(), files=files, log=counting)


async def _serve(means: Means, front: "Front | None") -> None:
    """From the store to the last goodbye; what is opened first is closed last."""
    settings = means.settings
    listening: Addresses = {}

    def about() -> Json:
        upstream = upstream_name(settings)
        return {"running": True, "pid": os.getpid(), "listeners": listening, "upstream": upstream}

    signals = _signals()
    relay = relay_of(settings)
    if front is not None:
        await front.connect()
        relay = front.relay if isinstance(relay, SmtpRelay) else relay
    async with opened_queue(means, relay, about, front) as queue:
        await queue.recover()
        try:
            async with opened_doors(means, queue, front) as addresses:
                listening |= addresses
                _welcome(means, queue, listening)
                await _run(means, queue, signals, front)
        finally:
            await relay.close()
            if front is not None:
                front.disconnect()


def _signals() -> Signals:
    """Listen from the first moment: a SIGHUP that nobody listens to would end the process."""
    loop, signals = asyncio.get_running_loop(), Signals(stop=asyncio.Event(), reload=asyncio.Event())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signals.stop.set)
    loop.add_signal_handler(signal.SIGHUP, signals.reload.set)
    return signals


async def _run(means: Means, queue: Queue, signals: Signals, front: "Front | None") -> None:
    """The timer, from the first moment that mail can come in until what it has in hand is done with."""
    releasing = asyncio.create_task(queue.release.run())
    try:
        await _until_told(means, queue, releasing, signals, front)
        queue.release.stop()
        await asyncio.wait([releasing], timeout=GRACE.total_seconds())
    finally:
        releasing.cancel()
        await asyncio.gather(releasing, return_exceptions=True)


async def _until_told(
    means: Means, queue: Queue, releasing: "asyncio.Task[None]", signals: Signals, front: "Front | None"
) -> None:
    """The quiet work beside the road, until a signal ends it. Raises where a part has died."""
    rules, log = means.rules, means.log

    def told(faults: tuple[Fault, ...]) -> None:
        if faults:
            log.trouble("rules_not_taken", errors=[str(fault) for fault in faults])
            # Where, and not what: the words repeat the rules, and rules name people.
            queue.notifying.soon(Topic.RULES_NOT_TAKEN, [fault.place for fault in faults])
        else:
            log.event("rules_taken", rules=[rule.name for rule in rules.current.rules])

    async def reload_on_hangup() -> None:
        while True:
            await signals.reload.wait()
            signals.reload.clear()
            told(await rules.reload())

    side = [
        *queue.beside(means),
        rules.watch(means.clock, told),
        reload_on_hangup(),
        *([] if front is None else [front.run()]),
    ]
    tasks = [asyncio.ensure_future(work) for work in side]
    stopping = asyncio.create_task(signals.stop.wait())
    systemd.notify(os.environ.get("NOTIFY_SOCKET"), systemd.READY)
    try:
        done, _ = await asyncio.wait([stopping, releasing, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        systemd.notify(os.environ.get("NOTIFY_SOCKET"), systemd.STOPPING)
        await _ended([stopping, *tasks])


async def _ended(tasks: "Sequence[asyncio.Future[Any]]") -> None:
    """Cancel them until they have ended: one cancel may be lost.

    Before Python 3.12 asyncio.wait_for gives the result where that and a cancel come in the same moment, as
    they do after the machine stood still, and psycopg waits with it for the database's answer.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)
    await asyncio.gather(*tasks, return_exceptions=True)


def _welcome(means: Means, queue: Queue, listening: Addresses) -> None:
    """The first lines: where it listens, what it does with mail, and what to try next."""
    takes = [f"{name} on {', '.join(places)}" for name, places in listening.items() if name != PAGE]
    policy = means.rules.current
    inside = ", ".join(policy.internal_domains) or "nobody yet (internal_domains), so all mail is held"
    sys.stdout.write(
        f"mailguard takes mail by {' and '.join(takes)}.\n"
        f"Rules in force: {', '.join(rule.name for rule in policy.rules) or 'none'}. Inside: {inside}.\n"
        f"What is let go leaves to {upstream_name(means.settings)}.\n"
        f"{_page(means, queue, listening)}"
        "Try next, in another terminal:\n"
        "  mailguard queue        what is held, next to leave first\n"
        "  mailguard cancel ID    stop it; the first letters of the id are enough\n"
        "  mailguard show ID      why it is held, and what happened to it\n"
    )
    sys.stdout.flush()


def _page(means: Means, queue: Queue, listening: Addresses) -> str:
    """Where the page is. Where nobody can log in yet, the link that opens it once; but what a service prints
    is kept in a journal that others may read (systemd.exec(5), JOURNAL_STREAM)."""
    if PAGE not in listening:
        return ""
    where = means.settings.web.public_url or listening[PAGE][0]
    if means.settings.accounts.file.exists() or "JOURNAL_STREAM" in os.environ:
        return f"The page is {where} (mailguard page prints a link that opens it as the admin, once).\n"
    link = once_link(means.settings, lambda: {"listeners": listening}, queue.once)
    return f"Open the page, once, with {link}\n"

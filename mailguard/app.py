"""The one place where the parts are built and joined. Read from the top down it is the program."""

import asyncio
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import uvloop

from mailguard.core.actor import ADMIN
from mailguard.core.errors import ConfigurationError, Fault, StoreError, UnknownSchema
from mailguard.edge import oplog, systemd
from mailguard.edge.accounts import UsersFile
from mailguard.edge.bodies import BodyReader
from mailguard.edge.clock import SystemClock
from mailguard.edge.config import RulesFile, Settings, load_settings, parse_rules
from mailguard.edge.control import ControlServer
from mailguard.edge.ids import RandomIds
from mailguard.edge.listeners import Certificates, Port, listen
from mailguard.edge.maildir_out import MaildirRelay
from mailguard.edge.smtp_in import Reception, SmtpOptions, SmtpSession
from mailguard.edge.smtp_out import SmtpRelay, UpstreamOptions
from mailguard.edge.store import Database, SqliteMemory, SqliteStore, StateLock
from mailguard.flow.alarm import Alarm
from mailguard.flow.bouncing import Bouncing
from mailguard.flow.decide import Decide
from mailguard.flow.desk import Desk
from mailguard.flow.history import History
from mailguard.flow.receive import Receive
from mailguard.flow.release import Release
from mailguard.flow.remember import Remember
from mailguard.flow.retention import Retention
from mailguard.ports import Accounts, Bodies, Clock, Log, Memory, Relay, Store

Json = dict[str, object]
Addresses = dict[str, list[str]]

CONTROL = "control.sock"

# What is in hand when the guard is told to stop gets so long to come to its end.
GRACE = timedelta(seconds=15)
WORKERS = 10
SWITCH_INTERVAL = 0.0005


@dataclass(frozen=True, kw_only=True)
class Means:
    """What every part of the program needs."""

    settings: Settings
    rules: RulesFile
    clock: Clock
    log: Log


@dataclass(frozen=True, kw_only=True)
class Queue:
    """The use cases on an open store, without any way in or out: what the stopped guard has too."""

    desk: Desk
    receive: Receive
    release: Release
    retention: Retention


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
    means = Means(settings=settings, rules=RulesFile.load(settings.rules_file), clock=SystemClock(), log=log)

    def about() -> Json:
        return {"running": False, "listeners": {}, "upstream": _upstream_name(settings)}

    with StateLock.take(settings.state_dir):
        async with _queue(means, _relay(settings), about) as queue:
            # The last guard may have been cut off in mid-relay; an answer must know of it.
            await queue.release.recover()
            return await queue.desk.answer(request, ADMIN)


def serve(config: Path | None) -> int:
    """Run the guard until it is told to stop; the exit code."""
    try:
        settings = load_settings(config)
        rules = RulesFile.load(settings.rules_file)
        log = oplog.configure(oplog.LogFormat(settings.log.format), settings.log.level)
        # The store's thread asks for the interpreter's lock at every step; with Python's 5 ms it starves
        # beside a busy loop (docs/decisions/0001).
        sys.setswitchinterval(SWITCH_INTERVAL)
        # Until the loop listens; then the signal reloads the rules.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(Means(settings=settings, rules=rules, clock=SystemClock(), log=log)))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except UnknownSchema as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (StoreError, OSError) as error:
        sys.stderr.write(f"mailguard cannot start: {error}\n")
        return 75 if isinstance(error, StoreError) else 1
    return 0


async def _serve(means: Means) -> None:
    """From the lock to the last goodbye; what is opened first is closed last."""
    settings = means.settings
    listening: Addresses = {}

    def about() -> Json:
        upstream = _upstream_name(settings)
        return {"running": True, "pid": os.getpid(), "listeners": listening, "upstream": upstream}

    signals = _signals()
    with StateLock.take(settings.state_dir):
        relay = _relay(settings)
        async with _queue(means, relay, about) as queue:
            await queue.release.recover()
            try:
                async with _doors(means, queue) as addresses:
                    listening |= addresses
                    _welcome(means, listening)
                    await _run(means, queue, signals)
            finally:
                await relay.close()


def _signals() -> Signals:
    """Listen from the first moment: a SIGHUP that nobody listens to would end the process."""
    loop, signals = asyncio.get_running_loop(), Signals(stop=asyncio.Event(), reload=asyncio.Event())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signals.stop.set)
    loop.add_signal_handler(signal.SIGHUP, signals.reload.set)
    return signals


async def _run(means: Means, queue: Queue, signals: Signals) -> None:
    """The timer, from the first moment that mail can come in until what it has in hand is done with."""
    releasing = asyncio.create_task(queue.release.run())
    try:
        await _until_told(means, queue, releasing, signals)
        queue.release.stop()
        await asyncio.wait([releasing], timeout=GRACE.total_seconds())
    finally:
        releasing.cancel()
        await asyncio.gather(releasing, return_exceptions=True)


async def _until_told(means: Means, queue: Queue, releasing: "asyncio.Task[None]", signals: Signals) -> None:
    """The quiet work beside the road, until a signal ends it. Raises where a part has died."""
    rules, log = means.rules, means.log

    def told(faults: tuple[Fault, ...]) -> None:
        if faults:
            log.trouble("rules_not_taken", errors=[str(fault) for fault in faults])
        else:
            log.event("rules_taken", rules=[rule.name for rule in rules.current.rules])

    async def reload_on_hangup() -> None:
        while True:
            await signals.reload.wait()
            signals.reload.clear()
            told(await rules.reload())

    side = [queue.retention.run(), rules.watch(means.clock, told), reload_on_hangup()]
    tasks = [asyncio.create_task(work) for work in side]
    stopping = asyncio.create_task(signals.stop.wait())
    systemd.notify(os.environ.get("NOTIFY_SOCKET"), systemd.READY)
    try:
        done, _ = await asyncio.wait([stopping, releasing, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        systemd.notify(os.environ.get("NOTIFY_SOCKET"), systemd.STOPPING)
        for task in (stopping, *tasks):
            task.cancel()
        await asyncio.gather(stopping, *tasks, return_exceptions=True)


@asynccontextmanager
async def _queue(means: Means, relay: Relay, about: Callable[[], Json]) -> AsyncIterator[Queue]:
    """The store, and everything that is done with it."""
    path = means.settings.database
    if path is None:
        problem, expected = "PostgreSQL as the store is not built yet", "sqlite:queue.db"
        fault = Fault(file="mailguard.toml", line=None, key="store.url", problem=problem, expected=expected)
        raise ConfigurationError((fault,))
    database = await Database.open(path, log=means.log)
    bodies = BodyReader()
    try:
        store, memory = SqliteStore(database), SqliteMemory(database)
        yield _joined(means, store, memory, bodies, relay, about)
    finally:
        bodies.close()
        await database.close()


def _joined(
    means: Means, store: Store, memory: Memory, bodies: Bodies, relay: Relay, about: Callable[[], Json]
) -> Queue:
    clock, log, rules, settings = means.clock, means.log, means.rules, means.settings
    alarm, ids = Alarm(clock=clock), RandomIds()
    bouncing = Bouncing(ids=ids, hostname=settings.hostname, language=settings.language)
    receive = Receive(
        store=store,
        memory=memory,
        policies=rules,
        bodies=bodies,
        clock=clock,
        log=log,
        ids=ids,
        hostname=settings.hostname,
        wake=alarm.sound,
    )
    desk = Desk(
        decide=Decide(store=store, clock=clock, log=log, bouncing=bouncing, wake=alarm.sound),
        history=History(store=store, policies=rules, clock=clock),
        receive=receive,
        policies=rules,
        clock=clock,
        language=settings.language,
        about=about,
        parse_rules=parse_rules,
    )
    retention = Retention(store=store, policies=rules, clock=clock, log=log)
    release = _release(means, store, memory, relay, bouncing, alarm)
    return Queue(desk=desk, receive=receive, release=release, retention=retention)


def _release(
    means: Means, store: Store, memory: Memory, relay: Relay, bouncing: Bouncing, alarm: Alarm
) -> Release:
    return Release(
        store=store,
        relay=relay,
        remember=Remember(memory=memory),
        bouncing=bouncing,
        alarm=alarm,
        clock=means.clock,
        log=means.log,
        hostname=means.settings.hostname,
        workers=WORKERS,
    )


@asynccontextmanager
async def _doors(means: Means, queue: Queue) -> AsyncIterator[Addresses]:
    """The ways in: SMTP, and the control socket. They close before the queue does."""
    settings, clock, log = means.settings, means.clock, means.log
    smtp = settings.smtp
    tls: Callable[[], ssl.SSLContext] | None = None
    if smtp.tls_cert is not None and smtp.tls_key is not None:
        tls = Certificates(cert=smtp.tls_cert, key=smtp.tls_key, log=log).context
    accounts = UsersFile(settings.accounts.file, clock=clock, log=log)
    reception = _reception(means, queue, accounts, tls)
    plain = [Port(address=str(place), factory=partial(SmtpSession, reception)) for place in smtp.listen]
    implicit = [
        Port(address=str(place), factory=partial(SmtpSession, reception, implicit_tls=True))
        for place in smtp.listen_tls
    ]
    listeners = await listen([*plain, *implicit])
    control = ControlServer(path=settings.state_dir / CONTROL, answer=queue.desk.answer, log=log)
    try:
        await control.start()
        addresses = list(listeners.addresses)
        with_tls = {"SMTP with TLS": addresses[len(plain) :]} if implicit else {}
        yield {"SMTP": addresses[: len(plain)], **with_tls}
    finally:
        listeners.close()
        await control.close()
        await reception.drain(GRACE)
        accounts.close()


def _reception(
    means: Means, queue: Queue, accounts: Accounts, tls: Callable[[], ssl.SSLContext] | None
) -> Reception:
    smtp = means.settings.smtp
    return Reception(
        options=SmtpOptions(
            hostname=means.settings.hostname,
            trusted_networks=smtp.trusted_networks,
            max_message_bytes=smtp.max_message_bytes,
            max_recipients=smtp.max_recipients,
            max_connections=smtp.max_connections,
            max_connections_per_ip=smtp.max_connections_per_ip,
            bare_newline=smtp.bare_newline,
        ),
        accept=queue.receive.accept,
        accounts=accounts,
        clock=means.clock,
        log=means.log,
        tls=tls,
    )


def _relay(settings: Settings) -> Relay:
    """The way to the real outgoing server; without one, a folder, so that nothing leaves the machine."""
    upstream = settings.upstream
    if upstream.kind == "maildir" or upstream.host is None:
        return MaildirRelay(settings.outgoing)
    password = upstream.password
    return SmtpRelay(
        UpstreamOptions(
            host=upstream.host,
            port=upstream.port,
            hostname=settings.hostname,
            tls=upstream.tls,
            ca_file=upstream.ca_file,
            username=upstream.username,
            password=None if password is None else password.get_secret_value(),
            connections=WORKERS,
        )
    )


def _upstream_name(settings: Settings) -> str:
    upstream = settings.upstream
    if upstream.kind == "maildir":
        return f"folder {settings.outgoing}"
    return f"{upstream.host}:{upstream.port} ({upstream.tls})"


def _welcome(means: Means, listening: Addresses) -> None:
    """The first lines: where it listens, what it does with mail, and what to try next."""
    where = " and ".join(f"{name} on {', '.join(places)}" for name, places in listening.items())
    policy = means.rules.current
    inside = ", ".join(policy.internal_domains) or "nobody yet (internal_domains), so all mail is held"
    sys.stdout.write(
        f"mailguard takes mail by {where}.\n"
        f"Rules in force: {', '.join(rule.name for rule in policy.rules) or 'none'}. Inside: {inside}.\n"
        f"What is let go leaves to {_upstream_name(means.settings)}.\n"
        "Try next, in another terminal:\n"
        "  mailguard queue        what is held, next to leave first\n"
        "  mailguard cancel ID    stop it; the first letters of the id are enough\n"
        "  mailguard show ID      why it is held, and what happened to it\n"
    )
    sys.stdout.flush()

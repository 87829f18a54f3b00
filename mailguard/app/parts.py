"""The use cases, joined on an open store: what the running guard and the stopped one have in common."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Protocol

from mailguard.app.outward import edit_again_of
from mailguard.app.remembering import recalling_of
from mailguard.app.storing import Kept, opened_store
from mailguard.app.writing import Writing, writing_of
from mailguard.core.news import Topic
from mailguard.core.value import dataclass
from mailguard.edge.bodies import BodyReader
from mailguard.edge.clock import Steps, SystemClock
from mailguard.edge.config import RulesFile, Settings, parse_rules
from mailguard.edge.counting import CountingLog
from mailguard.edge.ids import RandomIds
from mailguard.edge.listeners import OpenFiles
from mailguard.edge.maildir_out import MaildirRelay
from mailguard.edge.smtp_out import SmtpRelay, UpstreamOptions
from mailguard.flow.alarm import Alarm
from mailguard.flow.bouncing import Bouncing
from mailguard.flow.changes import Changes
from mailguard.flow.choosing import Choosing
from mailguard.flow.decide import Decide
from mailguard.flow.desk import Desk
from mailguard.flow.desk_tokens import TokenVerbs
from mailguard.flow.history import History
from mailguard.flow.keyring import Keyring
from mailguard.flow.learning import Learning
from mailguard.flow.listing import Listing
from mailguard.flow.noticing import Noticing
from mailguard.flow.notifying import Notifying
from mailguard.flow.opening import OnceLink
from mailguard.flow.receive import Receive
from mailguard.flow.release import Release
from mailguard.flow.remember import Remember
from mailguard.flow.reminding import Reminding
from mailguard.flow.replay import Replay
from mailguard.flow.restoring import Restoring
from mailguard.flow.retention import Retention
from mailguard.flow.takeover import TakeOver
from mailguard.flow.watch import Watch
from mailguard.flow.while_held import WhileHeld
from mailguard.ports import Bodies, Memory, Preferences, Relay, Store, Watched
from mailguard.ports.access import Sessions
from mailguard.ports.recall import Remembers

Json = dict[str, object]


class Upstream(Relay, Watched, Protocol):
    """The way out, and how it is."""


class Aside(Watched, Protocol):
    """The process that speaks SMTP, where it has one of its own."""

    @property
    def recalling(self) -> Remembers:
        """The memory, which is there."""


# Under this name the page's address stands in `status`.
PAGE = "page"

# How many connections to the upstream there are at most; for each of them there is one message that is being
# handed over, and one that waits, whose envelope goes along with the end of the first.
CONNECTIONS = 10
WORKERS = 2 * CONNECTIONS


@dataclass(frozen=True, kw_only=True)
class Means:
    """What every part of the program needs."""

    settings: Settings
    rules: RulesFile
    clock: SystemClock
    files: OpenFiles
    log: CountingLog


@dataclass(frozen=True, kw_only=True)
class Queue:
    """The use cases on an open store, without any way in or out: what the stopped guard has too."""

    store: Store
    kept: Kept
    bodies: Bodies
    alarm: Alarm
    desk: Desk
    decide: Decide
    history: History
    receive: Receive
    release: Release
    restoring: Restoring
    retention: Retention
    watch: Watch
    recalling: Remembers
    learning: Learning
    writing: Writing
    reminding: Reminding
    once: OnceLink
    keyring: Keyring

    @property
    def notifying(self) -> Notifying:
        """Tells others outside."""
        return self.kept.notifying

    @property
    def preferences(self) -> Preferences:
        """What people chose."""
        return self.kept.preferences

    @property
    def sessions(self) -> Sessions:
        """Who is signed in to the page."""
        return self.kept.sessions

    @property
    def changes(self) -> Changes:
        """Tells when something has happened."""
        return self.kept.changes

    async def recover(self) -> None:
        """Before anything else: what an earlier guard, or an earlier time, has left behind. What people chose
        is read as well, so that no mail waits for it."""
        await self.preferences.of("")
        async with self.kept.alone():
            await self.restoring.run()
            await self.release.recover()

    def beside(self, means: Means) -> list[Awaitable[None]]:
        """The quiet work that goes on beside the road."""
        parts = (self.retention, self.watch, self.recalling, self.notifying, self.reminding)
        work: list[Awaitable[None]] = [part.run() for part in parts]
        if self.kept.holding is not None:
            work.append(TakeOver(recover=self.release.recover, clock=means.clock, log=means.log).run())
        return [*work, *(run(self.alarm.sound) for run in self.kept.beside)]


@asynccontextmanager
async def opened_queue(
    means: Means, upstream: Upstream, about: Callable[[], Json], aside: Aside | None = None
) -> AsyncIterator[Queue]:
    """The store, and everything that is done with it; but for what another process does (`aside`)."""
    settings, clock, log = means.settings, means.clock, means.log
    async with opened_store(settings, clock, means.rules, log) as kept:
        bodies = BodyReader()
        try:
            watched = [*kept.watched, Steps(clock, log), means.files, *([aside] if aside else []), upstream]
            tell = partial(kept.notifying.soon, Topic.TROUBLE)
            watch = Watch(store=kept.store, clock=clock, watched=watched, tell=tell)
            recalling = _recalling(means, kept) if aside is None else aside.recalling
            relay: Relay = upstream
            if kept.holding is not None:
                relay = WhileHeld(upstream, holding=kept.holding, clock=clock, log=log)
            writing = writing_of(settings, means.rules, kept.store, kept.preferences, clock, log)
            with closing(writing.accounts):
                yield _joined(means, kept, recalling, writing, bodies, relay, watch, about)
        finally:
            bodies.close()


def _recalling(means: Means, kept: Kept) -> Remembers:
    shared = kept.holding is not None
    return recalling_of(means.settings, kept.records, means.rules, means.clock, means.log, shared=shared)


def _joined(
    means: Means,
    kept: Kept,
    recalling: Remembers,
    writing: Writing,
    bodies: Bodies,
    relay: Relay,
    watch: Watch,
    about: Callable[[], Json],
) -> Queue:
    clock, log, rules, settings = means.clock, means.log, means.rules, means.settings
    store, memory, alarm, once = kept.store, kept.memory, Alarm(clock=clock), OnceLink(clock)
    bouncing = Bouncing(ids=RandomIds(), hostname=settings.hostname, language=settings.language)
    decide = _decide(means, store, bouncing, alarm, recalling, writing.noticing)
    history = History(store=store, policies=rules, clock=clock)
    receive = _receive(means, store, memory, recalling, bodies, alarm, writing.noticing)
    learning = _learning(means, memory, recalling, bodies)
    state = partial(_state, about, recalling, watch, kept.notifying)
    keyring = Keyring(tokens=kept.tokens, people=writing.people, clock=clock)
    return Queue(
        store=store,
        bodies=bodies,
        kept=kept,
        alarm=alarm,
        desk=_desk(means, kept, decide, history, receive, learning, keyring, state, once),
        decide=decide,
        history=history,
        receive=receive,
        release=_release(means, kept, recalling, bodies, relay, bouncing, alarm),
        restoring=Restoring(store=store, clock=clock, log=log),
        retention=Retention(store=store, policies=rules, clock=clock, log=log),
        watch=watch,
        recalling=recalling,
        learning=learning,
        writing=writing,
        reminding=_reminding(means, store, writing.noticing, alarm),
        once=once,
        keyring=keyring,
    )


def _state(about: Callable[[], Json], recalling: Remembers, watch: Watch, notifying: Notifying) -> Json:
    told = {"troubles": watch.troubles(), "refusing": watch.refusing(), "notify": notifying.status()}
    return {**about(), "memory": recalling.status(), **told}


def _decide(
    means: Means,
    store: Store,
    bouncing: Bouncing,
    alarm: Alarm,
    recalling: Remembers,
    noticing: Noticing,
) -> Decide:
    return Decide(
        store=store,
        clock=means.clock,
        log=means.log,
        bouncing=bouncing,
        wake=alarm.sound,
        meant=recalling.meant,
        noticing=noticing,
    )


def _reminding(means: Means, store: Store, noticing: Noticing, alarm: Alarm) -> Reminding:
    return Reminding(store=store, noticing=noticing, clock=means.clock, log=means.log, wake=alarm.sound)


def _learning(means: Means, memory: Memory, recalling: Remembers, bodies: Bodies) -> Learning:
    host = means.settings.hostname
    return Learning(recalling=recalling, memory=memory, bodies=bodies, log=means.log, hostname=host)


def _desk(
    means: Means,
    kept: Kept,
    decide: Decide,
    history: History,
    receive: Receive,
    learning: Learning,
    keyring: Keyring,
    about: Callable[[], Json],
    once: OnceLink,
) -> Desk:
    edit_again = edit_again_of(means.settings, decide, kept.store, means.log)
    return Desk(
        decide=decide,
        history=history,
        listing=Listing(store=kept.store, history=history),
        receive=receive,
        replay=Replay(store=kept.store),
        learning=learning,
        backup=kept.backup,
        policies=means.rules,
        clock=means.clock,
        language=means.settings.language,
        about=about,
        parse_rules=parse_rules,
        page_link=partial(once_link, means.settings, about, once),
        more={
            **TokenVerbs(keyring).verbs(),
            **Choosing(kept.preferences).verbs,
            **edit_again.verbs(),
            "notify": kept.notifying.verb,
        },
    )


def _receive(
    means: Means,
    store: Store,
    memory: Memory,
    recalling: Remembers,
    bodies: Bodies,
    alarm: Alarm,
    noticing: Noticing,
) -> Receive:
    return Receive(
        store=store,
        memory=memory,
        policies=means.rules,
        bodies=bodies,
        clock=means.clock,
        log=means.log,
        ids=RandomIds(),
        hostname=means.settings.hostname,
        wake=alarm.sound,
        recalling=recalling,
        noticing=noticing,
    )


def _release(
    means: Means,
    kept: Kept,
    recalling: Remembers,
    bodies: Bodies,
    relay: Relay,
    bouncing: Bouncing,
    alarm: Alarm,
) -> Release:
    return Release(
        store=kept.store,
        relay=relay,
        remember=Remember(memory=kept.memory, recalling=recalling, bodies=bodies, log=means.log),
        bouncing=bouncing,
        alarm=alarm,
        clock=means.clock,
        log=means.log,
        hostname=means.settings.hostname,
        workers=WORKERS,
    )


def relay_of(settings: Settings) -> Upstream:
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
            connections=CONNECTIONS,
        )
    )


def upstream_name(settings: Settings) -> str:
    upstream = settings.upstream
    if upstream.kind == "maildir":
        return f"folder {settings.outgoing}"
    return f"{upstream.host}:{upstream.port} ({upstream.tls})"


def once_link(settings: Settings, about: Callable[[], Json], once: OnceLink) -> str:
    """A fresh link that opens the page once; "" where no page is served."""
    listeners = about().get("listeners")
    where = listeners.get(PAGE) if isinstance(listeners, dict) else None
    return f"{settings.web.public_url or where[0]}/open?key={once.fresh()}" if where else ""

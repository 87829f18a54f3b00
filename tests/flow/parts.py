"""The use cases joined to a real store, with a fake clock and a scripted upstream."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from mailguard.core.account import Account
from mailguard.core.actor import Actor
from mailguard.core.envelope import Envelope, MailParameters, Recipient, Submission
from mailguard.core.errors import Fault
from mailguard.core.facts import Body, Headers
from mailguard.core.policy import Policy
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.recollecting import Judge
from mailguard.core.reply import Reply
from mailguard.edge.clock import SystemClock
from mailguard.edge.config import parse_rules
from mailguard.edge.store import (
    Database,
    SqliteMemory,
    SqlitePreferences,
    SqliteRecords,
    SqliteStore,
    Standstill,
)
from mailguard.flow.alarm import Alarm
from mailguard.flow.bouncing import Bouncing
from mailguard.flow.decide import Decide
from mailguard.flow.history import History
from mailguard.flow.learning import Learning
from mailguard.flow.noticing import Noticing
from mailguard.flow.people import People
from mailguard.flow.recalling import Recalling
from mailguard.flow.receive import Receive
from mailguard.flow.release import Release
from mailguard.flow.remember import Remember
from mailguard.flow.reminding import Reminding
from mailguard.flow.restoring import Restoring
from mailguard.flow.retention import Retention
from mailguard.flow.speaking import Speaking
from mailguard.ports import Bodies, Records
from tests.clocks import FakeClock
from tests.upstreams import Lines, ScriptedRelay

WORKERS = 4

ANNE = Actor(name="anne", account=Account(login="anne", addresses=("anne@corp.example",)))
BOB = Actor(name="bob", account=Account(login="bob", addresses=("bob@corp.example",)))

RULES = """
internal_domains = ["corp.example"]
margin = "3s"

[[rule]]
name = "external"
when = { to = "external" }
delay = "5m"

[[rule]]
name = "press"
when = { to = "@newspaper.example" }
action = "approve"
approvers = ["bob@corp.example"]
expire = "2d"

[[rule]]
name = "big"
when = { to = "@big.example" }
action = "confirm"

[[rule]]
name = "never"
when = { to = "@rival.example" }
action = "refuse"
text = "We do not write to rivals"

[[rule]]
name = "split"
when = { to = "@slow.example" }
delay = "1h"
split = true
exempts = ["external"]
"""

MESSAGE = (
    b"From: Anne <anne@corp.example>\r\n"
    b"To: client@customer.example\r\n"
    b"Bcc: boss@corp.example\r\n"
    b"Message-ID: <one@corp.example>\r\n"
    b"Subject: Where we can save\r\n"
    b"\r\n"
    b"Two positions less in the spring.\r\n"
)


class Rules:
    """ports.Policies with rules that a test may exchange."""

    def __init__(self, text: str = RULES) -> None:
        self.current: Policy = parse_rules(text, "rules.toml")
        self.faults: tuple[Fault, ...] = ()

    async def reload(self) -> tuple[Fault, ...]:
        """Nothing to read."""
        return self.faults


class Logins:
    """ports.Accounts: those who are known, to be changed by a test."""

    def __init__(self) -> None:
        self.known = {"anne": ANNE.account, "bob": BOB.account}

    async def authenticate(self, login: str, password: str) -> Account | None:
        """Nobody logs in here."""
        return None

    async def account(self, login: str) -> Account | None:
        """The account."""
        return self.known.get(login)

    async def members(self, address: str) -> frozenset[str]:
        """Who has this address."""
        return frozenset(
            login for login, one in self.known.items() if one and address.lower() in one.addresses
        )


class NoBodies:
    """ports.Bodies that finds nothing inside."""

    async def read(self, content: bytes, headers: Headers) -> Body:
        """An empty inside."""
        return Body()


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is on the disk."""

    store: SqliteStore
    memory: SqliteMemory
    preferences: SqlitePreferences
    standstill: Standstill


@dataclass(frozen=True, kw_only=True)
class Writing:
    """The people, and how they are written to."""

    logins: Logins
    people: People
    speaking: Speaking
    noticing: Noticing

    @classmethod
    def on(cls, kept: Kept, rules: Rules, log: Lines, ids: Callable[[], str], host: str) -> Self:
        """Everything that writing takes, as app/writing.py joins it."""
        logins = Logins()
        people = People(accounts=logins)
        speaking = Speaking(
            preferences=kept.preferences, people=people, hostname=host, language="en", local=lambda at: at
        )
        noticing = Noticing(
            store=kept.store,
            policies=rules,
            people=people,
            speaking=speaking,
            log=log,
            ids=ids,
            hostname=host,
        )
        return cls(logins=logins, people=people, speaking=speaking, noticing=noticing)


@dataclass
class Parts:
    """Everything joined, as app.py does it."""

    store: SqliteStore
    memory: SqliteMemory
    preferences: SqlitePreferences
    clock: FakeClock
    relay: ScriptedRelay
    log: Lines
    rules: Rules
    receive: Receive
    decide: Decide
    release: Release
    writing: Writing
    reminding: Reminding
    history: History
    retention: Retention
    restoring: Restoring
    remember: Remember
    standstill: Standstill
    recalling: Recalling
    learning: Learning
    submitted: int = 0

    async def submit(self, *to: str, **changes: Any) -> Reply:
        """Anne sends a message; each is another one, unless the test gives the content."""
        if "content" not in changes and self.submitted:
            changes["content"] = MESSAGE.replace(b"<one@", b"<one.%d@" % self.submitted)
        self.submitted += 1
        return await self.receive.accept(submission(*to, now=self.clock, **changes))

    async def id_of(self, *to: str, **changes: Any) -> str:
        """Anne sends a message; its id."""
        reply = await self.submit(*to, **changes)
        assert reply.accepted, reply
        return reply.text.split(" as ")[1].split()[0]

    async def tick(self, by: timedelta = timedelta(0)) -> None:
        """Time goes by, and the timer does what is due, one round after the other."""
        await self.clock.advance(by)
        for claimed in await self.store.claim(self.clock.now(), 100):
            await self.release.relay_one(claimed)
        await self.release.afterwards.finish()
        await self.release.expire()


def submission(
    *to: str,
    now: FakeClock,
    sender: str = "anne@corp.example",
    user: str | None = "anne",
    content: bytes = MESSAGE,
    parameters: MailParameters | None = None,
) -> Submission:
    """A message on its way in."""
    recipients = tuple(Recipient(address=address) for address in to or ("client@customer.example",))
    return Submission(
        envelope=Envelope(sender=sender, recipients=recipients, parameters=parameters or MailParameters()),
        content=content,
        user=user,
        peer="192.0.2.7",
        helo="laptop",
        protocol="ESMTPSA",
        received_at=now.now(),
    )


@asynccontextmanager
async def opened(
    directory: Path,
    relay: ScriptedRelay | None = None,
    *,
    bodies: Bodies | None = None,
    load_judge: Callable[[], Judge | None] = lambda: None,
    notices: bool = False,
) -> AsyncIterator[Parts]:
    """The parts on a store in this directory; closed at the end. Without `notices` nobody is written to."""
    log = Lines()
    database = await Database.open(directory / "queue.db", log=log)
    try:
        standstill = Standstill(database, clock=SystemClock())
        remembering = Remembering(SqliteRecords(database), bodies or NoBodies(), load_judge)
        kept = Kept(
            store=SqliteStore(database),
            memory=SqliteMemory(database),
            preferences=SqlitePreferences(database),
            standstill=standstill,
        )
        yield joined(kept, relay or ScriptedRelay(), log, remembering, notices=notices)
        await standstill.close()
    finally:
        await database.close()


@dataclass(frozen=True)
class Remembering:
    """What the judge's memory needs; nobody makes it but the test that wants it (`recalling.make`)."""

    records: Records
    bodies: Bodies
    load_judge: Callable[[], Judge | None]

    def recalling(self, rules: Rules, clock: FakeClock, log: Lines) -> Recalling:
        """The memory on these records."""
        return Recalling(
            records=self.records,
            policies=rules,
            clock=clock,
            log=log,
            digests=Digests(b"a key for tests"),
            load_judge=self.load_judge,
        )


def numbers() -> Callable[[], str]:
    """Ids that a test can foretell."""
    counter = itertools.count(1)
    return lambda: f"{next(counter):012d}"


def joined(
    kept: Kept, relay: ScriptedRelay, log: Lines, remembering: Remembering, *, notices: bool = False
) -> Parts:
    """Everything joined, as app.py does it."""
    clock, rules, host = FakeClock(), Rules(), "guard.corp.example"
    store, memory = kept.store, kept.memory
    ids, alarm = numbers(), Alarm(clock=clock)
    bouncing = Bouncing(ids=ids, hostname=host, language="en")
    writing = Writing.on(kept, rules, log, ids, host)
    noticing = writing.noticing if notices else None
    recalling, bodies = remembering.recalling(rules, clock, log), remembering.bodies
    remember = Remember(memory=memory, recalling=recalling, bodies=bodies, log=log)
    how: dict[str, Any] = {"store": store, "clock": clock, "log": log}
    out: dict[str, Any] = {"relay": relay, "remember": remember, "bouncing": bouncing, "alarm": alarm}
    way_in: dict[str, Any] = {"memory": memory, "policies": rules, "bodies": bodies, "ids": ids}
    return Parts(
        store=store,
        memory=memory,
        preferences=kept.preferences,
        clock=clock,
        relay=relay,
        log=log,
        rules=rules,
        receive=Receive(
            **how, **way_in, hostname=host, wake=alarm.sound, recalling=recalling, noticing=noticing
        ),
        decide=Decide(**how, bouncing=bouncing, wake=alarm.sound, meant=recalling.meant, noticing=noticing),
        writing=writing,
        reminding=Reminding(**how, noticing=writing.noticing, wake=alarm.sound),
        release=Release(**how, **out, hostname=host, workers=WORKERS),
        history=History(store=store, policies=rules, clock=clock),
        retention=Retention(**how, policies=rules),
        remember=remember,
        restoring=Restoring(**how),
        standstill=kept.standstill,
        recalling=recalling,
        learning=Learning(recalling=recalling, memory=memory, bodies=bodies, log=log, hostname=host),
    )

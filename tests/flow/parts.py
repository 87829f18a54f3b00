"""The use cases joined to a real store, with a fake clock and a scripted upstream."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mailguard.core.account import Account
from mailguard.core.actor import Actor
from mailguard.core.envelope import Envelope, MailParameters, Recipient, Submission
from mailguard.core.errors import Fault
from mailguard.core.facts import Body, Headers
from mailguard.core.policy import Policy
from mailguard.core.reply import Reply
from mailguard.edge.config import parse_rules
from mailguard.edge.store import Database, SqliteMemory, SqliteStore
from mailguard.flow.alarm import Alarm
from mailguard.flow.bouncing import Bouncing
from mailguard.flow.decide import Decide
from mailguard.flow.history import History
from mailguard.flow.receive import Receive
from mailguard.flow.release import Release
from mailguard.flow.remember import Remember
from mailguard.flow.retention import Retention
from tests.clocks import FakeClock
from tests.upstreams import Lines, ScriptedRelay

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


class NoBodies:
    """ports.Bodies that finds nothing inside."""

    async def read(self, content: bytes, headers: Headers) -> Body:
        """An empty inside."""
        return Body()


@dataclass
class Parts:
    """Everything joined, as app.py does it."""

    store: SqliteStore
    memory: SqliteMemory
    clock: FakeClock
    relay: ScriptedRelay
    log: Lines
    rules: Rules
    receive: Receive
    decide: Decide
    release: Release
    history: History
    retention: Retention
    remember: Remember

    async def submit(self, *to: str, **changes: object) -> Reply:
        """Anne sends a message."""
        return await self.receive.accept(submission(*to, now=self.clock, **changes))

    async def id_of(self, *to: str, **changes: object) -> str:
        """Anne sends a message; its id."""
        reply = await self.submit(*to, **changes)
        assert reply.accepted, reply
        return reply.text.split(" as ")[1].split()[0]

    async def tick(self, by: timedelta = timedelta(0)) -> None:
        """Time goes by, and the timer does what is due, one round after the other."""
        await self.clock.advance(by)
        for claimed in await self.store.claim(self.clock.now(), 100):
            await self.release.relay_one(claimed)
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
async def opened(directory: Path, relay: ScriptedRelay | None = None) -> AsyncIterator[Parts]:
    """The parts on a store in this directory; closed at the end."""
    clock, log, rules = FakeClock(), Lines(), Rules()
    relay = relay or ScriptedRelay()
    counter = itertools.count(1)
    database = await Database.open(directory / "queue.db", log=log)
    store, memory = SqliteStore(database), SqliteMemory(database)
    alarm = Alarm(clock=clock)

    def ids() -> str:
        return f"{next(counter):012d}"

    bouncing = Bouncing(ids=ids, hostname="guard.corp.example", language="en")
    remember = Remember(memory=memory)
    receive = Receive(
        store=store,
        memory=memory,
        policies=rules,
        bodies=NoBodies(),
        clock=clock,
        log=log,
        ids=ids,
        hostname="guard.corp.example",
        wake=alarm.sound,
    )
    release = Release(
        store=store,
        relay=relay,
        remember=remember,
        bouncing=bouncing,
        alarm=alarm,
        clock=clock,
        log=log,
        hostname="guard.corp.example",
        workers=4,
    )
    try:
        yield Parts(
            store=store,
            memory=memory,
            clock=clock,
            relay=relay,
            log=log,
            rules=rules,
            receive=receive,
            decide=Decide(store=store, clock=clock, log=log, bouncing=bouncing, wake=alarm.sound),
            release=release,
            history=History(store=store, policies=rules, clock=clock),
            retention=Retention(store=store, policies=rules, clock=clock, log=log),
            remember=remember,
        )
    finally:
        await database.close()

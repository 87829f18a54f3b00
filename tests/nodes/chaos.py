"""Guards that are killed at any moment, clients that do not care, and the account of it all at the end."""

import random
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.guard import Guard
from tests.nodes.several import hand_in, say
from tests.sink import Sink

RULES = """
internal_domains = ["corp.example"]
margin = "0s"
notify = "never"

[[rule]]
name = "later"
when = { to = "@later.example" }
delay = "1h"

[[rule]]
name = "soon"
when = { to = "@soon.example" }
delay = "1s"
"""
FINISHED = ("sent", "cancelled", "failed")


@dataclass(kw_only=True)
class Mail:
    """One mail: the id that its client heard with a 250, and how many had arrived in all when somebody heard
    that it is cancelled."""

    key: str
    to: str
    id: str | None = None
    cancelled_at: int | None = None


@dataclass
class Account:
    """All that was promised and seen."""

    guards: Sequence[Guard]
    sink: Sink
    mails: list[Mail] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    stopping: threading.Event = field(default_factory=threading.Event)

    def client(self, name: str) -> None:
        """Hands in mail at any guard, and changes its mind at another, until it is stopped."""
        dice = random.Random(name)
        number = 0
        while not self.stopping.is_set():
            number += 1
            key = f"{name}-{number}"
            mail = Mail(key=key, to=f"{key}@{dice.choice(('now', 'soon', 'later', 'soon'))}.example")
            self.mails.append(mail)
            self._hand_in(mail, dice)
            if mail.id is not None and dice.random() < 0.5:
                time.sleep(dice.uniform(0, 1.2))
                self._change_mind(mail, dice)

    def _hand_in(self, mail: Mail, dice: random.Random) -> None:
        # A client that hears nothing tries again, with the same bytes, wherever the balancer leads it.
        for _ in range(20):
            try:
                guard = dice.choice(self.guards)
                mail.id = hand_in(guard, mail.to, mail.key, message_id=f"{mail.key}@chaos.example")
            except (OSError, smtplib.SMTPException):
                self.figures["tries that were not answered 250"] += 1
                if self.stopping.is_set():
                    return
                time.sleep(0.2)
                continue
            self.figures["mails acknowledged"] += 1
            return

    def _change_mind(self, mail: Mail, dice: random.Random) -> None:
        verb = dice.choice(("cancel", "cancel", "release"))
        try:
            answer = say(dice.choice(self.guards), verb, id=mail.id)
        except OSError:
            return
        if answer is None or verb != "cancel":
            return
        self.figures[f"cancel: {answer['told']}"] += 1
        if answer["told"] in ("done", "already"):
            mail.cancelled_at = len(self.sink.deliveries)

    def killer(self, guard: Guard, seconds: float, pause: tuple[float, float]) -> None:
        """Kills one guard again and again, as soon as it is up, and starts it anew."""
        dice = random.Random(guard.port)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(dice.uniform(*pause))
            assert guard.process
            guard.process.kill()
            guard.process.wait()
            self.figures["kills"] += 1
            guard.start()


def play(account: Account, *, seconds: float, clients: int, pause: tuple[float, float]) -> None:
    """Let it all go on for so long; afterwards nothing of it is open any more. `pause` is the least and the
    most that a guard lives, in seconds."""
    threads = [threading.Thread(target=account.client, args=(f"client{n}",)) for n in range(clients)]
    for thread in threads:
        thread.start()
    killers = [
        threading.Thread(target=account.killer, args=(guard, seconds, pause)) for guard in account.guards
    ]
    for killer in killers:
        killer.start()
    for killer in killers:
        killer.join()
    account.stopping.set()
    for thread in threads:
        thread.join()
    _settle(account.guards[0])


def _settle(guard: Guard, timeout: float = 120) -> None:
    deadline = time.monotonic() + timeout
    while unfinished := _queue(guard):
        assert time.monotonic() < deadline, f"these stay open: {unfinished[:3]}\n{guard.log()[-3000:]}"
        for message in unfinished:
            if message["state"] == "held":
                say(guard, "release", id=message["id"])
        time.sleep(0.2)


def _queue(guard: Guard, **more: object) -> list[dict[str, Any]]:
    answer = say(guard, "queue", **more)
    assert answer is not None
    return list(answer["messages"])


def broken(account: Account) -> list[str]:
    """Every promise that was not kept, as a sentence each."""
    guard = account.guards[0]
    arrived: dict[str, list[int]] = {}
    for index, delivery in enumerate(account.sink.deliveries):
        arrived.setdefault(delivery.recipients[0], []).append(index)
    recorded = _recorded(guard)
    wrong = []
    for mail in account.mails:
        copies = arrived.pop(mail.to, [])
        records = recorded.get(mail.key, [])
        for sentence in _broken(guard, mail, copies, records, account.figures):
            wrong.append(f"{mail.key}: {sentence}")
    wrong += [f"{to}: arrived, but nobody handed it in" for to in arrived if not to.startswith("alice@")]
    return wrong


def _recorded(guard: Guard) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for message in _queue(guard, all=True, limit=1_000_000):
        found.setdefault(str(message["subject"]), []).append(message)
    return found


Say = Callable[[str], None]


def _broken(
    guard: Guard, mail: Mail, copies: list[int], records: list[dict[str, Any]], figures: Counter[str]
) -> list[str]:
    if not records:
        if mail.id is not None:
            return ["lost: its client was told 250"]
        return ["arrived, but is recorded nowhere"] if copies else []
    wrong = [] if len(records) == 1 else [f"recorded {len(records)} times"]
    record = records[0]
    if mail.id is not None and mail.id != record["id"]:
        wrong.append(f"recorded as {record['id']}, its client was told {mail.id}")
    doubts = 0
    if len(copies) != 1 or mail.cancelled_at is not None:
        answer = say(guard, "show", id=record["id"])
        assert answer is not None
        events = answer["message"]["events"]
        doubts = sum(len(event.get("may_arrive_twice", ())) for event in events)
    figures["second copies"] += max(0, len(copies) - 1)
    if len(copies) > 1 + doubts:
        wrong.append(f"{len(copies)} copies, and {doubts} doubts in its history")
    if record["state"] == "sent" and not copies:
        wrong.append("lost: recorded as sent, but it never arrived")
    if mail.cancelled_at is not None:
        if any(index >= mail.cancelled_at for index in copies):
            wrong.append("sent after its cancel was answered")
        if copies and not doubts:
            wrong.append("cancelled, but a copy had left that nobody owned to")
    if record["state"] == "cancelled" and mail.cancelled_at is None and not mail.id:
        wrong.append("cancelled, but nobody did")
    return wrong

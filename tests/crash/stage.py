"""A guard that is to die, the server it sends to, and everything that was promised and seen meanwhile."""

import base64
import contextlib
import smtplib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mailguard.edge.control_client import CutOff, NotRunning, ask
from tests import guard as guards
from tests.crash import witness as witnesses
from tests.crash.ledger import Decision, Kind, Ledger, Mail, Record
from tests.crash.witness import REFUSED, Witness
from tests.guard import Guard

Answer = dict[str, Any]

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


@dataclass
class Stage:
    """One state directory through all the lives of its guard."""

    guard: Guard
    witness: Witness
    mails: dict[str, Mail] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.guard.directory / "state"

    @property
    def trace(self) -> Path:
        """Where strace writes."""
        return self.guard.directory / "strace"

    def submit(self, key: str, *recipients: str, padding: int = 0) -> bool:
        """Hand in a mail as a client does; whether it heard 250."""
        content = _content(key, padding)
        refused = frozenset(one for one in recipients if one.startswith(REFUSED))
        mail = Mail(key=key, recipients=recipients, content=content, refused=refused)
        self.mails[key] = mail
        try:
            reply = _hand_in(self.guard.port, recipients, content)
        except (OSError, smtplib.SMTPException):
            return False
        status, word, _, message_id = reply.split()[:4]
        assert (status, word) in (("2.0.0", "Held"), ("2.0.0", "Queued")), reply
        self.mails[key] = replace(mail, id=message_id)
        return True

    def ask(self, verb: str, key: str, **more: object) -> Answer | None:
        """What the guard says to a request about a mail; None where it died before it answered."""
        request: Mapping[str, object] = {"verb": verb, "id": self.mails[key].id, **more}
        with contextlib.suppress(CutOff, NotRunning):
            return ask(self.state / "control.sock", request)
        return None

    def cancel(self, key: str, *only: str) -> None:
        """Stop a mail, or drop only these recipients, and write down what was promised."""
        wanted = only or self.mails[key].recipients
        self._decide(Kind.CANCEL, key, wanted, self.ask("cancel", key, to=list(only)), ("dropped",))

    def restore(self, key: str) -> None:
        """Take a cancel back."""
        self._decide(Kind.RESTORE, key, self.mails[key].recipients, self.ask("restore", key), ("waiting",))

    def _decide(
        self, kind: Kind, key: str, wanted: Sequence[str], answer: Answer | None, states: Sequence[str]
    ) -> None:
        promised = wanted
        if answer is not None:
            shown = (answer.get("message") or {}).get("recipients", [])
            promised = [r["address"] for r in shown if r["address"] in wanted and r["state"] in states]
        self.decisions += [
            Decision(
                key=key,
                recipient=recipient,
                kind=kind,
                life=self.witness.life,
                answered=answer is not None,
                clean=answer is None or answer["told"] in ("done", "already"),
            )
            for recipient in promised
        ]

    def died(self) -> None:
        """The guard is gone: see the last of what it wrote, so that the next life begins afresh."""
        assert self.guard.process
        self.guard.process.kill()
        self.guard.process.wait()
        self.witness.await_quiet()

    def next_life(self) -> None:
        """Start the guard on what the last one left, with nothing between it and the disk."""
        self.witness.life += 1
        self.guard.start()

    def calm(self, timeout: float = 60) -> None:
        """Return when nothing is on its way any more: what the last kill cut off has been tried again."""
        deadline = time.monotonic() + timeout
        while self._request("queue", "", states=["queued", "relaying"])["messages"]:
            assert time.monotonic() < deadline, f"something does not leave:\n{self.guard.log()}"
            time.sleep(0.02)

    def settle(self, timeout: float = 60) -> Ledger:
        """Let go all that is held, wait until nothing is open any more, and read what is recorded."""
        deadline = time.monotonic() + timeout
        while unfinished := [m for m in self._queue() if m["state"] not in FINISHED]:
            assert time.monotonic() < deadline, f"these stay open: {unfinished}\n{self.guard.log()}"
            for message in unfinished:
                if message["state"] == "held":
                    self._request("release", message["id"])
            time.sleep(0.1)
        records = [self._record(message) for message in self._queue()]
        return Ledger(
            mails=list(self.mails.values()),
            decisions=self.decisions,
            copies=self.witness.copies,
            records=records,
        )

    def _queue(self) -> list[Answer]:
        return list(self._request("queue", "", all=True)["messages"])

    def _request(self, verb: str, message_id: str, **more: object) -> Answer:
        return ask(self.state / "control.sock", {"verb": verb, "id": message_id, **more})

    def _record(self, message: Answer) -> Record:
        events = self._request("show", message["id"])["message"]["events"]
        raw = self._request("raw", message["id"]).get("content")
        about = [event["report_on"] for event in events if "report_on" in event]
        return Record(
            id=message["id"],
            key=self._key(self._request("show", about[0])["message"] if about else message),
            states={recipient["address"]: recipient["state"] for recipient in message["recipients"]},
            raw=None if raw is None else base64.b64decode(raw),
            doubts=Counter(one for event in events for one in event.get("may_arrive_twice", ())),
            report=bool(about),
        )

    @staticmethod
    def _key(message: Answer) -> str:
        """The key of a mail, from its Message-ID."""
        return str(message["message_id"]).strip("<>").partition("@")[0]


def _content(key: str, padding: int) -> bytes:
    # Dots at the beginnings of lines, because they are what a torn dialog would spoil first.
    filler = (f".{key} ".encode() * 8)[:70] + b"\r\n"
    return (
        f"From: {guards.SENDER}\r\nSubject: {key}\r\nMessage-ID: <{key}@crash.example>\r\n\r\n".encode()
        + filler * (1 + padding // len(filler))
    )


def _hand_in(port: int, recipients: Sequence[str], content: bytes) -> str:
    """Our end of one SMTP dialog; the reply to the final dot."""
    with contextlib.closing(smtplib.SMTP("127.0.0.1", port, timeout=30)) as client:
        client.ehlo("crash.example")
        for code, reply in (client.mail(guards.SENDER), *map(client.rcpt, recipients)):
            assert code == 250, (code, reply)
        code, reply = client.data(content)
        assert code == 250, (code, reply)
        return f"{code} {reply.decode()}".partition(" ")[2]


@contextlib.contextmanager
def playing(directory: Path) -> Iterator[Stage]:
    """A stage with its guard set up, not started; none of its processes is left behind."""
    with witnesses.running() as witness:
        guard = guards.configured(directory, guards.smtp_upstream(witness.port), rules=RULES)
        stage = Stage(guard=guard, witness=witness)
        try:
            yield stage
        finally:
            if guard.process and guard.process.poll() is None:
                guard.process.kill()
                guard.process.wait()

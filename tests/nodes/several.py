"""Several real guards on one PostgreSQL, and one outgoing server that remembers what came."""

import contextlib
import signal
import smtplib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mailguard.edge.control_client import CutOff, NotRunning, ask
from tests import guard as guards
from tests.guard import Guard


def configured(directory: Path, url: str, upstream: int, *, rules: str = guards.RULES) -> Guard:
    """A guard of this queue that is set up, not started."""
    directory.mkdir(parents=True)
    guard = guards.configured(directory, guards.smtp_upstream(upstream), rules=rules)
    config = directory / "mailguard.toml"
    config.write_text(config.read_text() + f'\n[store]\nurl = "{url}"\n')
    return guard


@contextlib.contextmanager
def running(
    directory: Path, url: str, upstream: int, *, count: int, rules: str = guards.RULES
) -> Iterator[Sequence[Guard]]:
    """So many of them; those that are still alive at the end are stopped."""
    made = [configured(directory / f"node{n}", url, upstream, rules=rules) for n in range(count)]
    try:
        for guard in made:
            guard.start()
        yield made
    finally:
        for guard in made:
            if guard.process is not None and guard.process.poll() is None:
                # One that stands still does not hear that it is to end.
                guard.process.send_signal(signal.SIGCONT)
                guard.stop()


def hand_in(guard: Guard, to: str, subject: str, *, message_id: str = "") -> str:
    """Hand one message in; its id. Raises SMTPException, OSError."""
    head = f"From: {guards.SENDER}\r\nSubject: {subject}\r\n"
    head += f"Message-ID: <{message_id}>\r\n" if message_id else ""
    with contextlib.closing(smtplib.SMTP("127.0.0.1", guard.port, timeout=30)) as client:
        client.ehlo("nodes.example")
        client.mail(guards.SENDER)
        client.rcpt(to)
        code, text = client.data(f"{head}\r\nhello\r\n".encode())
        if code != 250:
            raise smtplib.SMTPDataError(code, text)
        return text.decode().split(" as ")[1].split()[0]


def say(guard: Guard, verb: str, **more: object) -> dict[str, Any] | None:
    """One request over the control socket; None where the guard is gone."""
    with contextlib.suppress(CutOff, NotRunning):
        return ask(guard.directory / "state" / "control.sock", {"verb": verb, **more})
    return None


def state_of(guard: Guard, message_id: str) -> str:
    """The state of a message, as this guard sees it."""
    answer = say(guard, "show", id=message_id)
    assert answer is not None, guard.log()
    return str(answer["message"]["state"]) if answer["told"] == "done" else str(answer)


def wait_for_state(guard: Guard, message_id: str, *states: str, timeout: float = 40) -> str:
    """Return when it is one of these, which it is."""
    deadline = time.monotonic() + timeout
    while (state := state_of(guard, message_id)) not in states:
        assert time.monotonic() < deadline, f"{message_id} is {state}\n{guard.log()}"
        time.sleep(0.05)
    return state

"""Makes system calls of a running guard fail: strace answers them in the kernel's place."""

import contextlib
import signal
import smtplib
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mailguard.edge import control_client
from tests.guard import Guard
from tests.programs import missing, require
from tests.promises.talking import until

# What a reply must never show: our language, our store, our files.
OURS = ("Error", "error", "Traceback", "sqlite", "SQLITE", "queue.db", ".py", "None")


@contextlib.contextmanager
def failing(guard: Guard, faults: Sequence[str], paths: Sequence[Path] = ()) -> Iterator[None]:
    """While the context lasts, calls of the guard fail as `faults` say (strace's `inject=`), those that touch
    one of `paths` only, where some are given."""
    assert guard.process
    calls = ",".join(fault.partition(":")[0] for fault in faults)
    command = [require("strace"), "-f", "-o", str(guard.directory / "strace"), "-e", f"trace={calls}"]
    for fault in faults:
        command += ["-e", f"inject={fault}"]
    for path in paths:
        command += ["-P", str(path)]
    command += ["-p", str(guard.process.pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr
        told = tracer.stderr.readline()
        if "attached" not in told:
            tracer.wait()
            missing(f"strace may not attach to another process here (kernel.yama.ptrace_scope): {told}")
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=20)


def store_files(guard: Guard) -> list[Path]:
    """The database and its log."""
    state = guard.directory / "state"
    return [state / "queue.db", state / "queue.db-wal"]


def hand_in(guard: Guard, subject: str, *, padding: int = 0) -> tuple[int, str]:
    """What the guard answers to a message to customer.example."""
    head = f"From: alice@corp.example\r\nSubject: {subject}\r\n\r\n".encode()
    with smtplib.SMTP("127.0.0.1", guard.port, timeout=60) as session:
        session.ehlo()
        session.mail("alice@corp.example")
        assert session.rcpt(f"{subject}@customer.example")[0] == 250
        code, text = session.data(head + (b"x" * 70 + b"\r\n") * (padding // 72))
    return code, text.decode()


def taken(guard: Guard, subject: str, *, padding: int = 0) -> str:
    """Hand a message in that must be taken; its id."""
    code, text = hand_in(guard, subject, padding=padding)
    assert code == 250, text
    return text.split(" as ")[1].split()[0]


def assert_turned_away(reply: tuple[int, str], *codes: int) -> None:
    """A temporary refusal, with a number to ask for, that tells nothing of our inside."""
    code, text = reply
    assert code in codes, reply
    assert text.startswith("4.3."), text
    assert "(incident " in text, text
    assert not any(word in text for word in OURS), text


def request(guard: Guard, verb: str, **more: object) -> dict[str, Any]:
    """One request over the control socket, as the command line makes it, without a process for each."""
    return dict(control_client.ask(guard.directory / "state" / "control.sock", {"verb": verb, **more}))


def ask(guard: Guard, verb: str, message_id: str) -> str:
    """A decision about a message; the word of the answer."""
    return str(request(guard, verb, id=message_id)["told"])


def state_of(guard: Guard, message_id: str) -> str:
    """The state of a message."""
    return str(request(guard, "show", id=message_id)["message"]["state"])


def wait_for_state(guard: Guard, message_id: str, state: str, timeout: float = 20) -> None:
    """Until the message is in this state."""
    deadline = time.monotonic() + timeout
    while (now := state_of(guard, message_id)) != state:
        assert time.monotonic() < deadline, f"{message_id} is {now}, not {state}:\n{guard.log()}"
        time.sleep(0.05)


def wait_for_first_sweep(guard: Guard) -> None:
    """It syncs, as a message does: a fault that is meant for the next message must not be spent on it."""
    until(lambda: "memory_ready" in guard.log())


def subjects(guard: Guard) -> set[str]:
    """The subjects of all messages that the guard has."""
    return {str(message["subject"]) for message in request(guard, "queue", all=True)["messages"]}


def troubles(guard: Guard) -> str:
    """What `status` says is wrong."""
    return " ".join(request(guard, "status")["status"]["troubles"])


def kill(guard: Guard) -> None:
    """As a crash ends it."""
    assert guard.process
    guard.process.kill()
    guard.process.wait()


def assert_no_python_in_the_log(guard: Guard) -> None:
    """Whatever failed, nothing was left to Python to report."""
    log = guard.log()
    assert "Traceback" not in log, log
    assert "exception" not in log.lower(), log

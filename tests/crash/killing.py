"""Kills a guard at a chosen system call: strace counts the calls, and sends SIGKILL as the chosen one begins,
so that this one is not made any more.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailguard.edge.control_client import CutOff, NotRunning, ask
from tests.guard import PROGRAM, Guard, environment
from tests.programs import missing, require

# All that leaves something behind on a disk or in a socket.
LASTING = (
    *("write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg", "connect", "bind", "chmod"),
    *("fsync", "fdatasync", "ftruncate", "unlink", "unlinkat", "rename", "mkdir"),
)
# And what the guard learns from.
CALLS = (*LASTING, "read", "recvfrom", "recvmsg")

# Nothing of what was asked is left to do when the guard has made no such call for so long.
QUIET = 0.2
PATIENCE = 30.0

_CALL = re.compile(r"(\d+) +(\w+)\(")

Parts = Sequence[tuple[str, str]]
"""The parts of a phase: a name, and the pattern of the line of the trace that it begins with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """The `number`th `call` of a thread since strace began to count, and the part of the phase it is in."""

    part: str
    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.part}-{self.call}-{self.number}"


def points(lines: Sequence[str], parts: Parts) -> list[Point]:
    """The points of a trace, in the order in which they came. strace counts for each thread and call apart,
    so of two threads that make the same call the busier one tells how far a sweep has to go."""
    seen: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, int], Point] = {}
    at = 0
    for line in lines:
        if (match := _CALL.match(line)) is None:
            continue
        if at + 1 < len(parts) and re.search(parts[at + 1][1], line):
            at += 1
        thread, call = match.groups()
        seen[thread, call] += 1
        number = seen[thread, call]
        found.setdefault((call, number), Point(part=parts[at][0], call=call, number=number))
    return list(found.values())


def count(guard: Guard, log: Path, parts: Parts, act: Callable[[], None]) -> list[Point]:
    """Where a running guard that does this can be killed."""
    with _attached(guard, log, ["-yy", *_traced(CALLS)]):
        act()
        await_quiet(guard, log)
    return points(log.read_text(errors="replace").splitlines(), parts)


def kill(guard: Guard, log: Path, point: Point, act: Callable[[], None]) -> bool:
    """Let a running guard do this, and die at that point; False where it came to its end before."""
    with _attached(guard, log, [*_traced(CALLS), *_killing(point)]):
        act()
        await_quiet(guard, log)
    assert guard.process
    return guard.process.poll() is not None


def count_start(guard: Guard, log: Path, part: str) -> list[Point]:
    """Where a guard can be killed that starts."""
    _start(guard, log, ["--seccomp-bpf", *_traced(LASTING)])
    return points(log.read_text(errors="replace").splitlines(), [(part, "")])


def kill_start(guard: Guard, log: Path, point: Point) -> bool:
    """Start a guard that dies at that point; False where it was up before, and died then."""
    # Slow, because strace 6.1 only ever counts to one with --seccomp-bpf.
    return _start(guard, log, [*_traced(LASTING), *_killing(point)])


def await_quiet(guard: Guard, log: Path) -> None:
    """Return when the guard is dead, or has nothing to do any more."""
    assert guard.process
    size, since = -1, time.monotonic()
    while guard.process.poll() is None and time.monotonic() - since < QUIET:
        if log.stat().st_size != size:
            size, since = log.stat().st_size, time.monotonic()
        time.sleep(0.02)


def _traced(calls: Sequence[str]) -> list[str]:
    return ["-e", f"trace={','.join(calls)}"]


def _killing(point: Point) -> list[str]:
    return ["-e", f"inject={point.call}:signal=KILL:when={point.number}"]


@contextlib.contextmanager
def _attached(guard: Guard, log: Path, options: Sequence[str]) -> Iterator[None]:
    assert guard.process
    log.unlink(missing_ok=True)
    command = [require("strace"), "-f", "-o", str(log), *options, "-p", str(guard.process.pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr
        told = tracer.stderr.readline()
        if "attached" not in told:
            tracer.wait()
            missing(f"strace may not attach to another process here (kernel.yama.ptrace_scope): {told}")
        try:
            yield
        finally:
            # It lets go of what it traces; where that is dead, it has ended by itself.
            tracer.send_signal(signal.SIGINT)


def _start(guard: Guard, log: Path, options: Sequence[str]) -> bool:
    """Start a guard under strace; whether it died before it was up. It is dead in any case."""
    log.unlink(missing_ok=True)
    serve = [str(PROGRAM), "serve", "--config", str(guard.directory / "mailguard.toml")]
    command = [require("strace"), "-f", "-o", str(log), *options, *serve]
    with (guard.directory / "log").open("ab") as output:
        tracer = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment()
        )
    deadline = time.monotonic() + PATIENCE
    while (up := process_of(guard)) is None and tracer.poll() is None:
        assert time.monotonic() < deadline, f"neither up nor dead:\n{guard.log()}"
        time.sleep(0.02)
    if up is not None and tracer.poll() is None:
        _kill_process(up)
    tracer.wait(PATIENCE)
    return up is None


def process_of(guard: Guard) -> int | None:
    """The process of a guard; None while it is not up."""
    try:
        answer = ask(guard.directory / "state" / "control.sock", {"verb": "status"})
    except (NotRunning, CutOff):
        return None
    status = answer["status"]
    assert isinstance(status, dict)
    return int(status["pid"])


def _kill_process(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)

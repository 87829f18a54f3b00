"""What grows with the queue and what does not: a guard with nothing held beside one with a million.

    python -m tests.benchmarks.flat [--held N] [--state DIR]

Prints, for both: the start, messages a second taken to disk, a cancel by id and the first page of the list
over the control socket, how late a steady flow of mail leaves, and the memory. `--state` is a state directory
that `tests.benchmarks.fill` has filled already; it is used as it is, and changed.
"""

import argparse
import json
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailguard.edge import control_client
from tests import guard as guards
from tests.benchmarks import measuring
from tests.benchmarks.fill import fill
from tests.programs import free_port

CANCELS = 300
PAGES = 20
# A steady flow: so many messages leave in each of so many seconds.
FLOW, SECONDS = 20, 10
LIMITS = "max_connections_per_ip = 500\n"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one guard. Times are in milliseconds where nothing else is said; memory is in MB."""

    held: int
    start_s: float
    accept_per_s: float
    accept_cost_us: float
    cancel_p50: float
    cancel_p99: float
    page_p50: float
    page_longest: float
    queue_verb: float
    late_p50: float
    late_p99: float
    memory: int
    memory_peak: int


class Arrivals:
    """An SMTP server that writes down when which message came."""

    def __init__(self) -> None:
        self.port = free_port()
        self.at: dict[str, float] = {}
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 arrivals\r\n")
            while line := lines.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    connection.sendall(b"354 go on\r\n")
                    self._take(list(iter(lines.readline, b".\r\n")))
                elif verb == b"EHLO":
                    connection.sendall(b"250-arrivals\r\n250 PIPELINING\r\n")
                    continue
                connection.sendall(b"250 2.0.0 Ok\r\n")

    def _take(self, lines: list[bytes]) -> None:
        now = time.time()
        subject = next(line for line in lines if line.startswith(b"Subject: "))
        self.at[subject[9:].decode().strip()] = now

    def close(self) -> None:
        """Listen no more."""
        self._server.close()


def measure(directory: Path, held: int, count: int) -> Figures:
    """One guard on a state directory that is filled already."""
    arrivals = Arrivals()
    guard = guards.configured(directory, guards.smtp_upstream(arrivals.port), smtp=LIMITS)
    begun = time.monotonic()
    guard.start()
    start = time.monotonic() - begun
    try:
        chosen = argparse.Namespace(sessions=10, length=4096, count=count)
        taken = measuring.load(chosen, guard.port, guard.pid, reuse=True)
        pages = [_timed(guard, {"verb": "queue", "limit": 200})[0] for _ in range(PAGES)]
        _, listed = _timed(guard, {"verb": "queue", "limit": CANCELS})
        some = [message["id"] for message in listed["messages"]]
        cancels = [_timed(guard, {"verb": "cancel", "id": one})[0] for one in some]
        late = _lateness(guard, arrivals)
        return Figures(
            held=held,
            start_s=round(start, 2),
            accept_per_s=round(taken.rate),
            accept_cost_us=round(taken.cost),
            cancel_p50=_ms(statistics.median(cancels)),
            cancel_p99=_ms(sorted(cancels)[int(0.99 * len(cancels))]),
            page_p50=_ms(statistics.median(pages)),
            page_longest=_ms(max(pages)),
            queue_verb=_ms(_first_line(guard)),
            late_p50=_ms(statistics.median(late)),
            late_p99=_ms(sorted(late)[int(0.99 * len(late))]),
            memory=guard.memory("VmRSS") >> 20,
            memory_peak=guard.memory("VmHWM") >> 20,
        )
    finally:
        guard.stop()
        arrivals.close()


def _timed(guard: guards.Guard, request: dict[str, object]) -> tuple[float, guards.Message]:
    begun = time.monotonic()
    answer = control_client.ask(guard.directory / "state" / "control.sock", request)
    seconds = time.monotonic() - begun
    if answer["told"] != "done":
        raise RuntimeError(f"{request}: {answer}")
    return seconds, answer


def _first_line(guard: guards.Guard) -> float:
    """Until `mailguard queue --json` has written the first page; it is cut off then."""
    command = [str(guards.PROGRAM), "queue", "--json", "--config", str(guard.directory / "mailguard.toml")]
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        process.stdout.readline()
        seconds = time.monotonic() - begun
        process.kill()
    return seconds


def _lateness(guard: guards.Guard, arrivals: Arrivals) -> list[float]:
    """How long after its time each message of a steady flow arrived, in seconds."""
    first = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
    due: dict[str, float] = {}
    address = ("127.0.0.1", guard.port)
    with socket.create_connection(address, 60) as connection, connection.makefile("rb") as replies:
        _say(connection, replies, b"EHLO flow")
        for number in range(FLOW * SECONDS):
            at = first + timedelta(seconds=number // FLOW)
            due[str(number)] = at.timestamp()
            _hand_in(connection, replies, number, at)
    deadline = time.monotonic() + 60
    while not due.keys() <= arrivals.at.keys():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(due.keys() - arrivals.at.keys())} messages never left")
        time.sleep(0.1)
    return [arrivals.at[one] - at for one, at in due.items()]


def _hand_in(connection: socket.socket, replies: "Iterator[bytes]", number: int, at: datetime) -> None:
    until = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    _say(connection, replies, f"MAIL FROM:<flow@corp.example> HOLDUNTIL={until}".encode())
    # Inside, so that no rule asks for more than that.
    _say(connection, replies, b"RCPT TO:<boss@corp.example>")
    _say(connection, replies, b"DATA")
    _say(connection, replies, b"Subject: %d\r\n\r\nText\r\n." % number)


def _say(connection: socket.socket, replies: "Iterator[bytes]", line: bytes) -> None:
    connection.sendall(line + b"\r\n")
    for reply in replies:
        if reply[:1] not in b"23":
            raise RuntimeError(f"{line!r}: {reply!r}")
        # The greeting is read as a part of the first answer.
        if reply[3:4] == b" " and not reply.startswith(b"220"):
            return


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


@contextmanager
def _filled(chosen: argparse.Namespace) -> Iterator[Path]:
    """A directory for a guard, with its state."""
    with tempfile.TemporaryDirectory(prefix="mailguard-flat-", dir=chosen.directory) as name:
        place = Path(name)
        if chosen.state is not None:
            (place / "state").symlink_to(chosen.state.resolve())
        else:
            fill(place / "state", chosen.held)
        yield place


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description="A guard with nothing held beside one with many.")
    parser.add_argument("--held", type=int, default=1_000_000, help="messages held (%(default)s)")
    parser.add_argument("--count", type=int, default=5000, help="messages taken (%(default)s)")
    parser.add_argument("--state", type=Path, help="a state directory that is filled already")
    parser.add_argument("--directory", type=Path, help="where the queues are (a temporary directory)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailguard-flat-", dir=chosen.directory) as empty:
        few = measure(Path(empty), 0, chosen.count)
    with _filled(chosen) as place:
        many = measure(place, chosen.held, chosen.count)
    if chosen.json:
        print(json.dumps([asdict(few), asdict(many)]))
        return
    for name, value in asdict(few).items():
        print(f"{name:14} {value:12} {asdict(many)[name]:12}")


if __name__ == "__main__":
    main()

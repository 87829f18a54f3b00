"""Many who send something large at once over slow lines, and what small mail and the memory notice of it.

    python -m tests.benchmarks.slow [--senders N] [--megabytes N] [--line BYTES_A_SECOND]

Prints how many of the large messages were taken, put off (452) and answered "not now" (451), how long small
mail waited for its answer meanwhile, the guard's memory before and at its highest, and for how long its store
and its event loop were at most busy with one thing.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from tests import guard as guards

LIMITS = "max_connections_per_ip = 500\nmax_bytes_in_flight = {budget}\n"
LINE = b"x" * 998 + b"\r\n"
# So long after one small message comes the next.
PAUSE = 0.1


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one run; memory in MB, times in milliseconds; the longest of watched.py."""

    taken: int
    put_off: int
    not_now: int
    seconds: float
    small: int
    small_p50: float
    small_p99: float
    small_longest: float
    memory_before: int
    memory_highest: int
    store_longest: float
    loop_longest: float
    loop_longest_cpu: float


async def _reply(reader: asyncio.StreamReader) -> bytes:
    while (line := await reader.readline())[3:4] == b"-":
        pass
    return line


async def _begun(port: int, size: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which the message may come now."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await _reply(reader)
    for line in (
        "EHLO slow",
        f"MAIL FROM:<a@corp.example> SIZE={size}",
        "RCPT TO:<b@client.example>",
        "DATA",
    ):
        writer.write(line.encode() + b"\r\n")
        if (reply := await _reply(reader))[:1] not in b"23":
            raise RuntimeError(f"{line}: {reply!r}")
    return reader, writer


async def upload(port: int, size: int, rate: int) -> bytes:
    """One large message at so many bytes a second; the answer to it."""
    reader, writer = await _begun(port, size)
    writer.write(b"Subject: large\r\n\r\n")
    piece = LINE * max(1, rate // 10 // len(LINE))
    sent = 0
    while sent < size:
        writer.write(piece)
        await writer.drain()
        sent += len(piece)
        await asyncio.sleep(0.1)
    writer.write(b".\r\n")
    reply = await _reply(reader)
    writer.close()
    return reply


async def small(port: int) -> float:
    """One small message; the seconds from the connection to the answer to its end."""
    begun = time.monotonic()
    reader, writer = await _begun(port, 100)
    writer.write(b"Subject: small\r\n\r\nText\r\n.\r\n")
    reply = await _reply(reader)
    if not reply.startswith(b"250"):
        raise RuntimeError(f"small mail was refused: {reply!r}")
    writer.close()
    return time.monotonic() - begun


async def _at_once(port: int, senders: int, size: int, rate: int) -> tuple[list[bytes], list[float]]:
    uploads = [asyncio.create_task(upload(port, size, rate)) for _ in range(senders)]
    waited = []
    while not all(one.done() for one in uploads):
        waited.append(await small(port))
        await asyncio.sleep(PAUSE)
    return [await one for one in uploads], waited


def measure(directory: Path, senders: int, size: int, rate: int, budget: int) -> Figures:
    """One guard, with all of them at once."""
    upstream: dict[str, str | int] = {"kind": "maildir", "path": "outgoing"}
    watched = directory / "watched"
    guard = guards.configured(directory, upstream, smtp=LIMITS.format(budget=budget))
    guard.program = (sys.executable, "-m", "tests.benchmarks.watched", str(watched))
    guard.start()
    try:
        before = guard.memory("VmRSS")
        begun = time.monotonic()
        replies, waited = asyncio.run(_at_once(guard.port, senders, size, rate))
        seconds = time.monotonic() - begun
        highest = guard.memory("VmHWM")
    finally:
        guard.stop()
    longest = json.loads(watched.read_text())
    counted = Counter(reply[:4] for reply in replies)
    if unknown := counted.keys() - {b"250 ", b"452 ", b"451 "}:
        raise RuntimeError(f"some were answered {unknown}")
    waited.sort()
    return Figures(
        taken=counted[b"250 "],
        put_off=counted[b"452 "],
        not_now=counted[b"451 "],
        seconds=round(seconds, 1),
        small=len(waited),
        small_p50=round(1000 * statistics.median(waited), 1),
        small_p99=round(1000 * waited[int(0.99 * len(waited))], 1),
        small_longest=round(1000 * waited[-1], 1),
        memory_before=before >> 20,
        memory_highest=highest >> 20,
        store_longest=round(longest["store"], 1),
        loop_longest=round(longest["loop"], 1),
        loop_longest_cpu=round(longest["loop_cpu"], 1),
    )


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description="Large mail over slow lines, and small mail beside it.")
    parser.add_argument("--senders", type=int, default=100, help="at once (%(default)s)")
    parser.add_argument("--megabytes", type=int, default=24, help="of each message (%(default)s)")
    parser.add_argument("--line", type=int, default=1_000_000, help="bytes a second (%(default)s)")
    parser.add_argument("--budget", type=int, default=256 << 20, help="max_bytes_in_flight (%(default)s)")
    parser.add_argument("--directory", type=Path, help="where the queue is (a temporary directory)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailguard-slow-", dir=chosen.directory) as name:
        figures = measure(
            Path(name), chosen.senders, chosen.megabytes * 1_000_000, chosen.line, chosen.budget
        )
    if chosen.json:
        print(json.dumps(asdict(figures)))
        return
    for key, value in asdict(figures).items():
        print(f"{key:16} {value:10}", file=sys.stdout)


if __name__ == "__main__":
    main()

"""Messages a second that one guard and two guards take into one PostgreSQL, beside one guard on SQLite, and
what each message costs the guards and the database: `python -m tests.benchmarks.nodes`."""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests import guard as guards
from tests import postgres_server
from tests.benchmarks import measuring
from tests.benchmarks.measuring import cpu_seconds
from tests.guard import Guard
from tests.postgres_server import Server
from tests.programs import find

UPSTREAM: dict[str, str | int] = {"kind": "maildir", "path": "outgoing"}
# All of the load comes from one address.
LIMITS = "max_connections_per_ip = 500\n"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Messages a second, and microseconds of a core that each cost the guards and the database."""

    rate: float
    guards: float
    database: float


def sqlite(chosen: argparse.Namespace, place: Path) -> Taken:
    """One guard on a file of its own."""
    place.mkdir()
    guard = guards.configured(place, UPSTREAM, smtp=LIMITS)
    return _taken(chosen, [guard], None)


def shared(chosen: argparse.Namespace, place: Path, server: Server, count: int) -> Taken:
    """So many guards on one database."""
    made = []
    url = server.database()
    for number in range(count):
        directory = place / f"node{number}"
        directory.mkdir(parents=True)
        guard = guards.configured(directory, UPSTREAM, smtp=LIMITS)
        config = directory / "mailguard.toml"
        config.write_text(config.read_text() + f'\n[store]\nurl = "{url}"\n')
        made.append(guard)
    return _taken(chosen, made, server)


def _taken(chosen: argparse.Namespace, made: Sequence[Guard], server: Server | None) -> Taken:
    for guard in made:
        guard.start()
    try:
        pids = [guard.process.pid for guard in made if guard.process]
        before = sum(map(cpu_seconds, pids)), cpu_seconds(server.pid) if server else 0.0
        begun = time.monotonic()
        loads = [_load(chosen, guard.port, chosen.count // len(made)) for guard in made]
        if any(load.wait(600) for load in loads):
            raise RuntimeError("the load broke off")
        seconds = time.monotonic() - begun
        after = sum(map(cpu_seconds, pids)), cpu_seconds(server.pid) if server else 0.0
        held = made[-1].ask("status")["messages"]["held"]
    finally:
        for guard in made:
            guard.stop()
    if held != chosen.count:
        raise RuntimeError(f"{held} of {chosen.count} are held")
    spent = [1e6 * (b - a) / chosen.count for a, b in zip(before, after, strict=True)]
    return Taken(rate=chosen.count / seconds, guards=spent[0], database=spent[1])


def _load(chosen: argparse.Namespace, port: int, count: int) -> "subprocess.Popen[bytes]":
    program = find("smtp-source") or "smtp-source"
    command = [program, "-d", "-s", str(chosen.sessions), "-l", str(chosen.length), "-m", str(count)]
    command += ["-f", "alice@corp.example", "-t", "bob@client.example", f"127.0.0.1:{port}"]
    return subprocess.Popen(command)


def main() -> None:
    """Run it."""
    chosen = measuring.options("Messages a second that one and two guards take into one queue.", count=5_000)
    figures: dict[str, list[Taken]] = {}
    with measuring.workplace(chosen) as place, postgres_server.running() as server:
        for number in range(chosen.runs):
            here = place / f"run{number}"
            here.mkdir()
            rivals: dict[str, Callable[[], Taken]] = {
                "one guard, SQLite": partial(sqlite, chosen, here / "sqlite"),
                "one guard, PostgreSQL": partial(shared, chosen, here / "one", server, 1),
                "two guards, PostgreSQL": partial(shared, chosen, here / "two", server, 2),
            }
            for name, taken in rivals.items():
                figures.setdefault(name, []).append(run := taken())
                print(f"run {number + 1}: {name}: {run.rate:.0f}/s", file=sys.stderr)
    rows = {
        name: {
            "median": round(statistics.median(run.rate for run in runs)),
            "lowest": round(min(run.rate for run in runs)),
            "highest": round(max(run.rate for run in runs)),
            "guards_us": round(statistics.median(run.guards for run in runs)),
            "database_us": round(statistics.median(run.database for run in runs)),
        }
        for name, runs in figures.items()
    }
    if chosen.json:
        print(json.dumps({"benchmark": "several guards, one queue", "per_second": rows}))
        return
    for name, row in rows.items():
        span = f"({row['lowest']} to {row['highest']})"
        cost = f"{row['guards_us']} us of a core for the guards, {row['database_us']} us for the database"
        print(f"{name:24} {row['median']:6}/s   {span:16} {cost}")


if __name__ == "__main__":
    main()

"""What both benchmarks share: the options, the load, and how interleaved runs are summed up."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.programs import find

# The guard as it is set up for much mail, and as it comes; and whether SMTP has a process of its own.
GUARDS = (("mailguard", True), ("single", False))


def smtp(*, own_process: bool) -> str:
    """Lines for the guard's section of SMTP: all of the load comes from one address."""
    return f"max_connections_per_ip = 500\nown_process = {str(own_process).lower()}\n"


def options(purpose: str, *, count: int) -> argparse.Namespace:
    """The command line of a benchmark."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--count", type=int, default=count, help="messages in one run (%(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, interleaved (%(default)s)")
    parser.add_argument("--sessions", type=int, default=10, help="connections at once (%(default)s)")
    parser.add_argument("--length", type=int, default=4096, help="bytes of a message (%(default)s)")
    parser.add_argument("--directory", type=Path, help="where both keep their queues (a temporary directory)")
    parser.add_argument("--peers", action="store_true", help="also receivers that judge nothing (peers.py)")
    parser.add_argument("--plot", type=Path, help="where the table puts its plot, an SVG")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    chosen = parser.parse_args()
    for program in ("postfix", "smtp-source", "smtp-sink"):
        if find(program) is None:
            sys.exit(f"{program} is needed: apt install postfix")
    return chosen


@contextmanager
def workplace(chosen: argparse.Namespace) -> Iterator[Path]:
    """A directory for both queues, on the same disk, and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mailguard-benchmark-", dir=chosen.directory) as name:
        place = Path(name)
        # Postfix gives up root and must still get in.
        place.chmod(0o755)
        yield place


@dataclass(frozen=True, kw_only=True)
class Run:
    """Messages a second, and what each cost: microseconds of a core, all processes of the server together.
    The rate is what counts; the cost is what other work on the machine disturbs least."""

    rate: float
    cost: float


@contextmanager
def stopwatch(count: int, server: int) -> Iterator[list[Run]]:
    """Times what is done to the server with this process id; the one Run is there afterwards."""
    run: list[Run] = []
    spent, begun = cpu_seconds(server), time.monotonic()
    yield run
    seconds = time.monotonic() - begun
    run.append(Run(rate=count / seconds, cost=1e6 * (cpu_seconds(server) - spent) / count))


def cpu_seconds(root: int) -> float:
    """What a process, all below it, and those of them that have ended have used of a core."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(place.name)] = int(fields[1])
        # proc_pid_stat(5): utime, stime, cutime, cstime.
        ticks[int(place.name)] = sum(map(int, fields[11:15]))
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def load(chosen: argparse.Namespace, port: int, server: int, *, reuse: bool) -> Run:
    """Hand in the messages with smtp-source, from first connection to last reply."""
    program = find("smtp-source") or "smtp-source"
    command = [program, "-s", str(chosen.sessions), "-l", str(chosen.length), "-m", str(chosen.count)]
    command += ["-f", "alice@corp.example", "-t", "bob@client.example", *(["-d"] if reuse else [])]
    with stopwatch(chosen.count, server) as run:
        subprocess.run([*command, f"127.0.0.1:{port}"], check=True, timeout=600)
    return run[0]


Measure = Callable[[], Run]


def interleaved(runs: int, rivals: Mapping[str, Measure]) -> dict[str, list[Run]]:
    """Every rival's figures, one run of each in turn: a busy moment of the machine hurts all alike."""
    figures: dict[str, list[Run]] = {name: [] for name in rivals}
    for number in range(runs):
        for name, measure in rivals.items():
            run = measure()
            figures[name].append(run)
            print(f"run {number + 1}: {name}: {run.rate:.0f}/s, {run.cost:.0f} us", file=sys.stderr)
    return figures


def rate(runs: Sequence[Run]) -> float:
    """The median."""
    return statistics.median(run.rate for run in runs)


def cost(runs: Sequence[Run]) -> float:
    """The median."""
    return statistics.median(run.cost for run in runs)


def report(title: str, figures: Mapping[str, Sequence[Run]], *, as_json: bool) -> None:
    """Medians, extremes, and mailguard's median as a multiple of Postfix's, per kind of load."""
    rows = {
        name: {
            "median": round(rate(runs)),
            "lowest": round(min(run.rate for run in runs)),
            "highest": round(max(run.rate for run in runs)),
            "microseconds": round(cost(runs)),
        }
        for name, runs in figures.items()
    }
    ratios = {
        kind: round(rows[f"mailguard{kind}"]["median"] / rows[f"postfix{kind}"]["median"], 2)
        for kind in (name.removeprefix("mailguard") for name in rows if name.startswith("mailguard"))
    }
    if as_json:
        print(json.dumps({"benchmark": title, "per_second": rows, "ratio_to_postfix": ratios}))
        return
    print(title)
    for name, row in rows.items():
        span = f"({row['lowest']} to {row['highest']})"
        print(f"  {name:28} {row['median']:6}/s   {span:16} {row['microseconds']:6} us of a core each")
    for kind, ratio in ratios.items():
        print(f"  mailguard is {ratio} times Postfix{kind}")

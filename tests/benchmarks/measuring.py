"""What both benchmarks share: the options, the load, and how interleaved runs are summed up."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.programs import find


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


def load(chosen: argparse.Namespace, port: int, *, reuse: bool) -> float:
    """Hand in the messages with smtp-source; messages a second, from first connection to last reply."""
    program = find("smtp-source") or "smtp-source"
    command = [program, "-s", str(chosen.sessions), "-l", str(chosen.length), "-m", str(chosen.count)]
    command += ["-f", "alice@corp.example", "-t", "bob@client.example", *(["-d"] if reuse else [])]
    begun = time.monotonic()
    subprocess.run([*command, f"127.0.0.1:{port}"], check=True, timeout=600)
    return float(chosen.count / (time.monotonic() - begun))


Measure = Callable[[], float]


def interleaved(runs: int, rivals: Mapping[str, Measure]) -> dict[str, list[float]]:
    """Every rival's figures, one run of each in turn: a busy moment of the machine hurts all alike."""
    figures: dict[str, list[float]] = {name: [] for name in rivals}
    for run in range(runs):
        for name, measure in rivals.items():
            figures[name].append(measure())
            print(f"run {run + 1}: {name}: {figures[name][-1]:.0f}/s", file=sys.stderr)
    return figures


def report(title: str, figures: Mapping[str, list[float]], *, as_json: bool) -> None:
    """Medians, extremes, and mailguard's median as a multiple of Postfix's, per kind of load."""
    rows = {
        name: {
            "median": round(statistics.median(values)),
            "lowest": round(min(values)),
            "highest": round(max(values)),
        }
        for name, values in figures.items()
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
        print(f"  {name:28} {row['median']:6}/s   ({row['lowest']} to {row['highest']})")
    for kind, ratio in ratios.items():
        print(f"  mailguard is {ratio} times Postfix{kind}")

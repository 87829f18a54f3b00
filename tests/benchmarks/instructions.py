"""Instructions that taking one message costs, in each process of the guard, counted by cachegrind.

    python -m tests.benchmarks.instructions [--reuse] [--one-process] [--few 100] [--many 500]

A machine that others share is half as fast in one minute as in the next, and what a change gives drowns in
that. The number of instructions stays the same to one or two in a hundred; for the process that keeps only
where the machine is quiet, because how many messages share a transaction depends on who waits. It says
nothing of what the kernel does, of waiting, or of the processor's caches, and needs valgrind and Postfix's
smtp-source.

Two guards take so many messages, few and many; the difference is what those between have cost.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests import guard as guards
from tests.benchmarks import measuring
from tests.programs import find

# The process that keeps was there first.
KEEPS, SPEAKS = "keeps", "speaks"


def main() -> None:
    """Run it."""
    chosen = _options()
    # The same order in every set and dictionary of every run.
    os.environ["PYTHONHASHSEED"] = "0"
    few = _counted(chosen, chosen.few)
    many = _counted(chosen, chosen.many)
    each = {name: (many[name] - few[name]) // (chosen.many - chosen.few) for name in many}
    each["all"] = sum(each.values())
    if chosen.json:
        print(json.dumps({"benchmark": "instructions of one message", "instructions": each}))
        return
    for name, instructions in each.items():
        print(f"{name:8} {instructions:12,}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Instructions that taking one message costs.")
    parser.add_argument("--reuse", action="store_true", help="many messages over one connection")
    parser.add_argument("--one-process", action="store_true", help="the guard as it comes")
    parser.add_argument("--few", type=int, default=100, help="messages of the shorter run (%(default)s)")
    parser.add_argument("--many", type=int, default=500, help="messages of the longer run (%(default)s)")
    parser.add_argument("--sessions", type=int, default=10, help="connections at once (%(default)s)")
    parser.add_argument("--length", type=int, default=4096, help="bytes of a message (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    chosen = parser.parse_args()
    for program, package in (("valgrind", "valgrind"), ("smtp-source", "postfix")):
        if find(program) is None:
            sys.exit(f"{program} is needed: apt install {package}")
    return chosen


def _counted(chosen: argparse.Namespace, count: int) -> Mapping[str, int]:
    """What each process has carried out from its start to its end."""
    with tempfile.TemporaryDirectory(prefix="mailguard-instructions-") as name:
        place = Path(name)
        smtp = measuring.smtp(own_process=not chosen.one_process)
        guard = guards.configured(place, {"kind": "maildir", "path": "outgoing"}, smtp=smtp)
        valgrind = find("valgrind") or "valgrind"
        counts = ("--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={place}/counts.%p")
        guard.program = (valgrind, *counts, sys.executable, str(guards.PROGRAM))
        guard.start()
        keeps = guard.pid
        try:
            chosen.count = count
            measuring.load(chosen, guard.port, keeps, reuse=chosen.reuse)
            held = guard.ask("status")["messages"]["held"]
        finally:
            guard.stop(patience=120)
        if held != count:
            raise RuntimeError(f"the guard holds {held} of {count}")
        return {
            KEEPS if file.suffix == f".{keeps}" else SPEAKS: _instructions(file)
            for file in sorted(place.glob("counts.*"))
        }


def _instructions(file: Path) -> int:
    """The sum that stands on the last line (`summary: N`)."""
    *_, last = file.read_text(errors="replace").splitlines()
    return int(last.removeprefix("summary:").split()[0])


if __name__ == "__main__":
    main()

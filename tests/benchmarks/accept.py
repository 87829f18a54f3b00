"""Messages a second taken to disk and held, beside Postfix with HOLD: `python -m tests.benchmarks.accept`."""

import argparse
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests import guard as guards
from tests.benchmarks import measuring
from tests.benchmarks.measuring import GUARDS, Measure, Run
from tests.postfix import Postfix
from tests.programs import free_port


def postfix_run(chosen: argparse.Namespace, server: Postfix, *, reuse: bool) -> Run:
    """One run against Postfix; every message must lie in its hold queue afterwards."""
    run = measuring.load(chosen, server.port, server.pid, reuse=reuse)
    held = server.count("hold")
    if held != chosen.count:
        raise RuntimeError(f"Postfix holds {held} of {chosen.count}:\n{server.log()[-2000:]}")
    server.run("postsuper", "-d", "ALL")
    return run


def guard_run(chosen: argparse.Namespace, place: Path, *, reuse: bool, own_process: bool) -> Run:
    """One run against a fresh guard; every message must be held by it afterwards."""
    directory = place / "guard"
    directory.mkdir()
    upstream: dict[str, str | int] = {"kind": "maildir", "path": "outgoing"}
    with guards.running(directory, upstream, smtp=measuring.smtp(own_process=own_process)) as guard:
        run = measuring.load(chosen, guard.port, guard.pid, reuse=reuse)
        held = guard.ask("status")["messages"]["held"]
    if held != chosen.count:
        raise RuntimeError(f"the guard holds {held} of {chosen.count}")
    shutil.rmtree(directory)
    return run


def peer_run(chosen: argparse.Namespace, place: Path, kind: str, *, reuse: bool) -> Run:
    """One run against a receiver that judges nothing (peers.py)."""
    directory, port = place / kind, free_port()
    command = [sys.executable, "-m", "tests.benchmarks.peers", kind, str(directory), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            return measuring.load(chosen, port, process.pid, reuse=reuse)
        finally:
            process.terminate()
            process.wait(30)
            shutil.rmtree(directory)


LOADS = ((", new connections", False), (", reused connections", True))


def figures(chosen: argparse.Namespace, place: Path) -> dict[str, list[Run]]:
    """Messages a second of everybody, by name and load."""
    server = Postfix({"smtpd_client_restrictions": "static:HOLD"}, parent=place, logging=False)
    try:
        server.start()
        rivals: dict[str, Measure] = {}
        for kind, reuse in LOADS:
            rivals["postfix" + kind] = partial(postfix_run, chosen, server, reuse=reuse)
            for name, own in GUARDS:
                rivals[name + kind] = partial(guard_run, chosen, place, reuse=reuse, own_process=own)
            for peer in ("aiosmtpd", "protocol") if chosen.peers else ():
                rivals[peer + kind] = partial(peer_run, chosen, place, peer, reuse=reuse)
        return measuring.interleaved(chosen.runs, rivals)
    finally:
        server.stop()


def main() -> None:
    """Run it."""
    chosen = measuring.options("Messages a second taken to disk and held, beside Postfix.", count=10_000)
    with measuring.workplace(chosen) as place:
        found = figures(chosen, place)
    measuring.report(f"accept: {chosen.count} messages of {chosen.length} bytes", found, as_json=chosen.json)


if __name__ == "__main__":
    main()

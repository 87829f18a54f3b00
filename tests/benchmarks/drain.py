"""Messages a second sent to smtp-sink when all fall due at once, beside Postfix."""

import argparse
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from tests import guard as guards
from tests.benchmarks import measuring
from tests.benchmarks.measuring import GUARDS, Measure, Run
from tests.postfix import Postfix
from tests.programs import find, free_port


@contextmanager
def sink(port: int, count: int) -> Iterator[subprocess.Popen[bytes]]:
    """smtp-sink, which ends by itself when it has taken all messages."""
    program = find("smtp-sink") or "smtp-sink"
    command = [program, "-M", str(count), "-u", "nobody", f"127.0.0.1:{port}", "500"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def postfix_run(chosen: argparse.Namespace, server: Postfix, upstream: int) -> Run:
    """Fill the hold queue, let all of it go at one moment, and wait for the last to arrive."""
    measuring.load(chosen, server.port, server.pid, reuse=True)
    with sink(upstream, chosen.count) as process:
        time.sleep(0.5)
        with measuring.stopwatch(chosen.count, server.pid) as run:
            server.run("postsuper", "-H", "ALL")
            server.run("postqueue", "-f")
            process.wait(600)
        return run[0]


def guard_run(chosen: argparse.Namespace, place: Path, upstream: int, *, own_process: bool) -> Run:
    """Have all messages held until one moment (FUTURERELEASE, RFC 4865), and wait for the last to arrive."""
    directory = place / "guard"
    directory.mkdir()
    rules = guards.RULES.replace('"1h"', '"0s"')
    smtp = measuring.smtp(own_process=own_process)
    with guards.running(directory, guards.smtp_upstream(upstream), rules=rules, smtp=smtp) as guard:
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=10 + chosen.count // 250)
        fill(guard.port, chosen, f"{due:%Y-%m-%dT%H:%M:%SZ}")
        left = (due - datetime.now(UTC)).total_seconds()
        if left < 1:
            raise RuntimeError("filling the queue took longer than the messages were to be held")
        held = guard.ask("status")["messages"]["held"]
        if held != chosen.count:
            raise RuntimeError(f"the guard holds {held} of {chosen.count}")
        with sink(upstream, chosen.count) as process:
            time.sleep((due - datetime.now(UTC)).total_seconds())
            with measuring.stopwatch(chosen.count, guard.pid) as run:
                process.wait(600)
    shutil.rmtree(directory)
    return run[0]


def fill(port: int, chosen: argparse.Namespace, hold_until: str) -> None:
    """Hand in the messages, all with one HOLDUNTIL; smtp-source has no way to say it."""
    lines = b"Subject: load\r\n\r\n" + (b"x" * 70 + b"\r\n") * (chosen.length // 72)
    start = (
        f"MAIL FROM:<alice@corp.example> HOLDUNTIL={hold_until}\r\nRCPT TO:<bob@client.example>\r\nDATA\r\n"
    )
    shares = [chosen.count // 4 + (index < chosen.count % 4) for index in range(4)]
    threads = [
        threading.Thread(target=_session, args=(port, share, start.encode(), lines + b".\r\n"))
        for share in shares
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _session(port: int, count: int, start: bytes, content: bytes) -> None:
    with (
        socket.create_connection(("127.0.0.1", port), 60) as connection,
        connection.makefile("rb") as replies,
    ):
        replies.readline()
        connection.sendall(b"EHLO load\r\n")
        while not replies.readline().startswith(b"250 "):
            pass
        for _ in range(count):
            connection.sendall(start)
            answers = [replies.readline() for _ in range(3)]
            connection.sendall(content)
            answers.append(replies.readline())
            if [answer[:3] for answer in answers] != [b"250", b"250", b"354", b"250"]:
                raise RuntimeError(f"refused: {answers}")
        connection.sendall(b"QUIT\r\n")
        replies.readline()


def figures(chosen: argparse.Namespace, place: Path) -> dict[str, list[Run]]:
    """Messages a second of both."""
    upstream = free_port()
    hold = {"smtpd_client_restrictions": "static:HOLD", "relayhost": f"[127.0.0.1]:{upstream}"}
    server = Postfix(hold, parent=place, logging=False)
    try:
        server.start()
        rivals: dict[str, Measure] = {"postfix": partial(postfix_run, chosen, server, upstream)}
        for name, own in GUARDS:
            rivals[name] = partial(guard_run, chosen, place, upstream, own_process=own)
        return measuring.interleaved(chosen.runs, rivals)
    finally:
        server.stop()


def main() -> None:
    """Run it."""
    chosen = measuring.options(
        "Messages a second sent when all fall due at once, beside Postfix.", count=10_000
    )
    with measuring.workplace(chosen) as place:
        found = figures(chosen, place)
    measuring.report(f"drain: {chosen.count} messages of {chosen.length} bytes", found, as_json=chosen.json)


if __name__ == "__main__":
    main()

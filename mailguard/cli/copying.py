"""`mailguard backup`: copies the queue of a running or a stopped guard into one file.

The copying is done here and not by the guard: whoever asks may write where the guard may not, and the guard's
disk and threads stay free for mail.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from mailguard.cli.asking import faults_told
from mailguard.core.errors import StoreError
from mailguard.core.told import Told
from mailguard.edge import control_client
from mailguard.edge.config import load_settings, locate
from mailguard.edge.store import StateLock, backup
from mailguard.edge.store.backup import Made
from mailguard.ports import Still

Json = dict[str, object]
Step = Callable[[int], None]

# How often the guard hears that the copying goes on, and the person how far it is.
EVERY_SECONDS = 0.5


def back_up(config: Path | None, target: Path, *, force: bool) -> Json:
    """Make the copy; the answer has `backup` where there is one."""
    return faults_told(lambda: _back_up(config, target, force))


def _back_up(config: Path | None, target: Path, force: bool) -> Json:
    if target.exists() and not force:
        return _answer(Told.REFUSED, f"{target} is there already; --force takes its place")
    try:
        made = _made(config, target, force)
    except FileExistsError:
        return _answer(Told.REFUSED, f"{target} came to be meanwhile; --force takes its place")
    shown = {
        "file": str(made.path),
        "at": f"{made.at:%Y-%m-%dT%H:%M:%SZ}",
        "bytes": made.size,
        "unfinished": made.unfinished,
    }
    text = f"{made.path} has the queue of {shown['at']}: {_size(made.size)}, {made.unfinished} not finished"
    return {**_answer(Told.DONE, text), "backup": shown}


def _made(config: Path | None, target: Path, force: bool) -> Made:
    socket = locate.state_dir(locate.find(config)) / control_client.SOCKET
    try:
        return _of_running(socket, target, force)
    except control_client.NotRunning:
        return _of_stopped(config, target, force)


def _of_running(socket: Path, target: Path, force: bool) -> Made:
    begun = _ask(socket, {"step": "begin"})
    token = str(begun["token"])
    still = Still(
        path=Path(str(begun["path"])),
        size=int(str(begun["size"])),
        token=token,
        at=datetime.fromisoformat(str(begun["at"])),
    )
    ended = False
    try:
        with backup.beside(target) as copied, _progress(still.size) as shown:

            def going_on(done: int) -> None:
                if shown(done):
                    _ask(socket, {"step": "renew", "token": token})

            backup.copy(still, copied, going_on=going_on)
            ended = True
            _ask(socket, {"step": "end", "token": token})
            return backup.finish(copied, still, target, force=force)
    finally:
        if not ended:
            _let_go(socket, token)


def _let_go(socket: Path, token: str) -> None:
    try:
        control_client.ask(socket, {"verb": "backup", "step": "end", "token": token})
    except (OSError, control_client.NotRunning, control_client.CutOff):
        # It lets go by itself, when nothing is heard of the copying.
        return


def _ask(socket: Path, request: Mapping[str, object]) -> Json:
    answer = control_client.ask(socket, {"verb": "backup", **request})
    if answer["told"] != Told.DONE.value:
        raise StoreError(str(answer["text"]))
    return answer


def _of_stopped(config: Path | None, target: Path, force: bool) -> Made:
    settings = load_settings(config)
    path = settings.database
    if path is None:
        raise StoreError("this queue is in PostgreSQL; use pg_dump")
    with StateLock.take(settings.state_dir):
        still = backup.at_rest(path)
        with backup.beside(target) as copied, _progress(still.size) as shown:
            backup.copy(still, copied, going_on=shown)
            return backup.finish(copied, still, target, force=force)


@contextmanager
def _progress(size: int) -> Iterator[Callable[[int], bool]]:
    """Tells a person on a terminal how far it is; the function says whether it was time to tell."""
    told_at = time.monotonic()
    terminal = sys.stderr.isatty()

    def shown(done: int) -> bool:
        nonlocal told_at
        now = time.monotonic()
        if now - told_at < EVERY_SECONDS:
            return False
        told_at = now
        if terminal:
            sys.stderr.write(f"\r{done * 100 // max(size, 1):3} % of {_size(size)} ")
            sys.stderr.flush()
        return True

    try:
        yield shown
    finally:
        if terminal:
            # Back to the beginning of the line, and the line away (ECMA-48, EL).
            sys.stderr.write("\r\x1b[K")


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"


def _answer(told: Told, text: str) -> Json:
    return {"told": told.value, "text": text}

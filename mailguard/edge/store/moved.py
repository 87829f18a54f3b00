"""A note beside a queue on SQLite that was moved to PostgreSQL: from then on nothing is sent from here.

The note is there before anything can be in the other place, and says `moved` when all of it is. Whatever cuts
the moving off, the same verb goes on with it, and no guard starts meanwhile.
"""

import os
import secrets
from pathlib import Path

from mailguard.core.errors import StoreError
from mailguard.core.value import dataclass
from mailguard.edge.store.trace import sync_directory

SUFFIX = "-moved"
_MOVING, _MOVED = "moving", "moved"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """Where a queue goes, by what the copy is known there, and whether all of it has arrived."""

    to: str
    token: str
    done: bool


def read(database: Path) -> Moved | None:
    """What the note says; None where there is none. Raises StoreError where it cannot be read."""
    try:
        lines = note(database).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {note(database)}: {error.strerror}") from error
    word, token, to = lines[-1].split(" ", 2) if lines else ("", "", "")
    return Moved(to=to, token=token, done=word == _MOVED)


def begin(database: Path, to: str) -> Moved:
    """Note that it is being moved; an earlier moving that was cut off goes on. Raises StoreError."""
    known = read(database)
    moving = Moved(to=to, token=known.token if known else secrets.token_hex(16), done=False)
    _write(database, moving)
    return moving


def finish(database: Path, moving: Moved) -> None:
    """Note that all of it is there. Raises StoreError."""
    _write(database, Moved(to=moving.to, token=moving.token, done=True))


def forget(database: Path) -> None:
    """Nothing of it has arrived, so it stays where it is."""
    note(database).unlink(missing_ok=True)


def check(database: Path) -> None:
    """Raises StoreError where the queue has moved, or is just moving."""
    moved = read(database)
    if moved is None:
        return
    if moved.done:
        raise StoreError(
            f"the queue {database} was moved to {moved.to}, and nothing leaves from here any more; set"
            " store.url to the new place"
        )
    raise StoreError(
        f"the queue {database} is being moved to {moved.to}, and that was cut off; say"
        " `mailguard migrate-store` once more"
    )


def note(database: Path) -> Path:
    """The file that it stands in."""
    return database.with_name(database.name + SUFFIX)


def _write(database: Path, moved: Moved) -> None:
    word = _MOVED if moved.done else _MOVING
    text = (
        "mailguard has moved the mail of the file beside this one, or was about to. As long as this is\n"
        "here, no guard sends it from there. Remove it only where the other place has nothing of it.\n"
        f"{word} {moved.token} {moved.to}\n"
    )
    made = note(database).with_name(f".{note(database).name}.{os.getpid()}")
    try:
        with made.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        made.replace(note(database))
        sync_directory(database.parent)
    except OSError as error:
        raise StoreError(f"cannot write {note(database)}: {error.strerror}") from error

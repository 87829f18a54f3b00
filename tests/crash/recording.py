"""Records, by strace, what a program does to the files of a directory and what it says, in one order."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.crash.disk import (
    Create,
    Operation,
    Remove,
    Rename,
    Sync,
    SyncDirectory,
    Truncate,
    Write,
)
from tests.programs import require

# All by which a file can change, but for a mapping into memory; that what was recorded adds up to the files
# that are really there, a test has to see.
_FILES = (
    *("openat", "creat", "pwrite64", "pwritev", "pwritev2", "ftruncate", "truncate", "fallocate"),
    *("fsync", "fdatasync", "sync_file_range", "unlink", "unlinkat", "rename", "renameat", "renameat2"),
    *("link", "linkat", "copy_file_range", "sendfile"),
)
_TALK = ("write", "writev", "sendto", "sendmsg")
# What others hear; strace's names for it.
_TOLD = ("TCP", "UNIX-STREAM", "pipe")

_LINE = re.compile(r"(\d+) +(.*)")
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
# The place of a socket has a `->` in it.
_ON_FILE = re.compile(r"\d+<(.*?)>(?:, (.*)|$)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True, slots=True)
class Said:
    """Bytes that went out on a socket or a pipe; `place` is what strace calls it."""

    place: str
    data: bytes


Step = Operation | Said


def command(log: Path) -> list[str]:
    """What to put in front of a program's command line, for `read` to read afterwards."""
    calls = ",".join((*_FILES, *_TALK))
    options = ["-f", "--seccomp-bpf", "-xx", "-yy", "-s", "8000000", "-e", f"trace={calls}"]
    return [require("strace"), *options, "-o", str(log)]


def read(log: Path, directory: Path) -> list[Step]:
    """What was done to the files that stand in `directory` itself, and said. Raises ValueError where a file
    was changed by a call that is not understood here."""
    with log.open(encoding="ascii") as lines:
        return list(steps(lines, str(directory)))


def steps(lines: Iterable[str], directory: str) -> Iterator[Step]:
    """What is said counts from the moment at which the call began, what is synced from the moment at which
    it was done: whatever the threads made of each other, that is the worst of the possible orders."""
    placed: list[tuple[int, Step]] = []
    begun: dict[str, tuple[int, str]] = {}
    known: set[str] = set()
    for place, line in enumerate(lines):
        if (match := _LINE.match(line)) is None:
            continue
        thread, text = match.groups()
        start = place
        if text.endswith(_UNFINISHED):
            begun[thread] = (place, text.removesuffix(_UNFINISHED))
            continue
        if resumed := _RESUMED.match(text):
            start, front = begun.pop(thread)
            text = front + resumed[1]
        for step in _steps(text, directory, known):
            placed.append((place if isinstance(step, Sync | SyncDirectory) else start, step))
    placed.sort(key=lambda pair: pair[0])
    return (step for _, step in placed)


def _steps(text: str, directory: str, known: set[str]) -> Iterator[Step]:
    call = _CALL.match(text)
    if call is None or int(call[3]) < 0:
        return
    name, arguments, result = call[1], call[2], int(call[3])
    if name in ("openat", "creat"):
        yield from _opened(text, directory, known)
    elif name in ("unlink", "unlinkat"):
        for file in _files(arguments, directory):
            known.discard(file)
            yield Remove(file)
    elif name.startswith("rename"):
        yield from _renamed(_files(arguments, directory), known)
    elif match := _ON_FILE.match(arguments):
        yield from _on_file(name, _path(match[1]), match[2] or "", result, directory)


def _opened(text: str, directory: str, known: set[str]) -> Iterator[Step]:
    """The name of what was opened stands behind the result."""
    match = re.search(r"= \d+<([^>]*)>$", text.rstrip())
    file = _inside(_path(match[1]), directory) if match else None
    if file is not None and "O_CREAT" in text and file not in known:
        known.add(file)
        yield Create(file)


def _renamed(files: Sequence[str], known: set[str]) -> Iterator[Step]:
    if files:
        if len(files) != 2:
            raise ValueError(f"a file comes from another directory, or goes there: {files}")
        known.discard(files[0])
        known.add(files[1])
        yield Rename(files[0], files[1])


def _on_file(name: str, path: str, rest: str, result: int, directory: str) -> Iterator[Step]:
    if path == directory and name in ("fsync", "fdatasync"):
        yield SyncDirectory()
        return
    file = _inside(path, directory)
    if file is None:
        if name in _TALK and path.startswith(_TOLD):
            yield Said(path, b"".join(map(_unhexed, _TEXT.findall(rest))))
    elif name in ("fsync", "fdatasync"):
        yield Sync(file)
    elif name == "ftruncate":
        yield Truncate(file, int(rest))
    elif name == "pwrite64":
        data, _, offset = rest.rsplit(", ", 2)
        yield Write(file, int(offset), _unhexed(data.strip('"'))[:result])
    elif name == "fallocate" and file == "reserve":
        # Room that is kept free; nobody reads what is in it.
        pass
    elif name == "write" and file.startswith(".secret.key"):
        # Written at once and whole, under a name of its own, and then renamed.
        yield Write(file, 0, _unhexed(rest.rsplit(", ", 1)[0].strip('"'))[:result])
    elif name == "write" and file == "guard.lock":
        # One line in an empty file; no image has it.
        pass
    else:
        raise ValueError(f"{name} changes {file}: teach tests/crash/recording.py what that does")


def _files(arguments: str, directory: str) -> list[str]:
    named = (_unhexed(text).decode() for text in _TEXT.findall(arguments))
    return [file for path in named if (file := _inside(path, directory)) is not None]


def _inside(path: str, directory: str) -> str | None:
    """The name of a file that stands in the directory itself."""
    front, _, file = path.rpartition("/")
    return file if front == directory else None


def _path(text: str) -> str:
    # Behind the path of a device stands which one it is.
    return _unhexed(text.partition("<")[0]).decode() if text.startswith("\\x") else text


def _unhexed(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))

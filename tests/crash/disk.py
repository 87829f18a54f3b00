"""A disk as a power cut leaves it: what was not synced may be there, in whole or in part, or not at all.

Every block of a file that was written and not synced holds one of its versions since the last sync, each
block for itself: so writes are torn, and change their order. The same goes for a change of the directory (a
file made, removed, renamed), which only a sync of the directory makes sure of.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

SECTOR = 512
PAGE = 4096

Image = dict[str, bytes]
"""What is on the disk: a file's name, and its bytes."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes at an offset of a file."""

    file: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """A file gets this size."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """All of a file is on the disk now."""

    file: str


@dataclass(frozen=True, slots=True)
class SyncDirectory:
    """All names are on the disk now."""


@dataclass(frozen=True, slots=True)
class Create:
    """A new, empty file."""

    file: str


@dataclass(frozen=True, slots=True)
class Remove:
    """A file's name is taken away."""

    file: str


@dataclass(frozen=True, slots=True)
class Rename:
    """A file gets another name, in place of the file that had it."""

    file: str
    to: str


Content = Write | Truncate
Naming = Create | Remove | Rename
Operation = Content | Naming | Sync | SyncDirectory


class Disk:
    """One directory; operations go in, in the order in which a program made them, and images come out."""

    def __init__(self) -> None:
        # A file is a number, because its name can go to another one.
        self._names: dict[str, int] = {}
        self._synced_names: dict[str, int] = {}
        self._unsynced_names: list[tuple[str, int | None]] = []
        self._synced: defaultdict[int, bytes] = defaultdict(bytes)
        self._unsynced: defaultdict[int, list[Content]] = defaultdict(list)
        self._made = 0

    def do(self, operation: Operation) -> None:
        """Take in what a program did. Raises KeyError where it did it to a file that is not there."""
        match operation:
            case Create(file):
                self._made += 1
                self._name(file, self._made)
            case Remove(file):
                self._name(file, None)
            case Rename(file, to):
                self._name(to, self._names[file])
                self._name(file, None)
            case Write(file) | Truncate(file):
                self._unsynced[self._names[file]].append(operation)
            case Sync(file):
                number = self._names[file]
                self._synced[number] = _with(self._synced[number], self._unsynced.pop(number, ()))
            case SyncDirectory():
                self._synced_names = dict(self._names)
                self._unsynced_names.clear()

    def _name(self, file: str, number: int | None) -> None:
        self._unsynced_names.append((file, number))
        _rename(self._names, file, number)

    def everything(self) -> Image:
        """All of it, synced or not: what a killed program leaves."""
        return {file: _with(self._synced[n], self._unsynced.get(n, ())) for file, n in self._names.items()}

    def nothing_unsynced(self) -> Image:
        """The least that the disk has to hold."""
        return {file: self._synced[number] for file, number in self._synced_names.items()}

    def something(self, dice: Random, block: int) -> Image:
        """One of the many states in between, torn at the bounds of blocks of this size."""
        names = dict(self._synced_names)
        # Journalling file systems keep the order of such changes; others do not.
        ordered = dice.random() < 0.5
        upto = dice.randint(0, len(self._unsynced_names))
        for place, (file, number) in enumerate(self._unsynced_names):
            if place < upto if ordered else dice.random() < 0.5:
                _rename(names, file, number)
        return {
            file: _torn(self._synced[number], self._unsynced.get(number, ()), dice, block)
            for file, number in names.items()
        }


def _rename(names: dict[str, int], file: str, number: int | None) -> None:
    if number is None:
        names.pop(file, None)
    else:
        names[file] = number


def _with(content: bytes, changes: Iterable[Content]) -> bytes:
    made = bytearray(content)
    for change in changes:
        if isinstance(change, Truncate):
            _resize(made, change.size)
        else:
            _put(made, change.offset, change.data)
    return bytes(made)


def _torn(content: bytes, changes: Iterable[Content], dice: Random, block: int) -> bytes:
    """Of the writes to a block the first few have reached the disk: none, some, or all."""
    pieces = [piece for change in changes for piece in _pieces(change, block)]
    writes = Counter(piece.offset // block for piece in pieces if isinstance(piece, Write))
    left = {number: dice.randint(0, count) for number, count in writes.items()}
    made = bytearray(content)
    for piece in pieces:
        if isinstance(piece, Truncate):
            if dice.random() < 0.5:
                _resize(made, piece.size)
        elif left[number := piece.offset // block] > 0:
            left[number] -= 1
            _put(made, piece.offset, piece.data)
    return bytes(made)


def _pieces(change: Content, block: int) -> Iterable[Content]:
    if isinstance(change, Truncate):
        yield change
        return
    start, end = change.offset, change.offset + len(change.data)
    while start < end:
        stop = min(end, (start // block + 1) * block)
        yield Write(change.file, start, change.data[start - change.offset : stop - change.offset])
        start = stop


def _put(made: bytearray, offset: int, data: bytes) -> None:
    if len(made) < offset:
        _resize(made, offset)
    made[offset : offset + len(data)] = data


def _resize(made: bytearray, size: int) -> None:
    del made[size:]
    made.extend(bytes(size - len(made)))

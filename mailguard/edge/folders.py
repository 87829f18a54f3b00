"""Finds mail in files of any usual kind: mbox, Maildir, MH, folders of .eml, a single one.

A source is an mbox file or a folder; its mails come in an order that stays the same, so that its reader can
go on where it stopped. Junk, drafts and what was thrown away are passed over: nobody meant those.
"""

import contextlib
import mmap
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mailguard.core.value import dataclass

# Larger ones are files with a little text around them.
LARGEST = 64 * 1024 * 1024

_PASSED = re.compile(
    r"\.?(?:(?:inbox|gmail|\[gmail\])[./])?"
    r"(?:junk|spam|trash|drafts?|deleted[ _]?(?:items|messages)?|outbox"
    r"|brouillons|corbeille|entw.*rfe|papierkorb)",
    re.IGNORECASE,
)
_MBOX = b"From "
_NEXT = b"\nFrom "
# A Maildir file's flags: draft, trashed.
_UNMEANT = re.compile(r":2,[A-Za-z]*[DT]")
_NUMBERED = re.compile(r"\d+\.?")
_FIELD = re.compile(rb"(?:From |[!-9;-~]+[ \t]*:)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """An mbox file, or the mail files of one folder, by name; `size` is the bytes of all of it."""

    path: Path
    size: int
    names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """By which it is known again."""
        return str(self.path)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One mail; a reader that has done with it has got to `place`. `size` are the bytes it took there."""

    content: bytes
    place: str
    size: int


def sources(paths: Sequence[Path]) -> Iterator[Source]:
    """The sources below these paths, in a fixed order. Raises OSError where a path cannot be read."""
    for path in paths:
        whole = path.absolute()
        if whole.is_dir():
            yield from _below(whole)
        elif _is_mbox(whole):
            yield Source(path=whole, size=whole.stat().st_size)
        else:
            yield Source(path=whole.parent, size=whole.stat().st_size, names=(whole.name,))


def mails(source: Source, after: str | None = None) -> Iterator[Found]:
    """The mails of a source, in its order; those behind the place `after`. Raises OSError."""
    return _of_folder(source, after) if source.names else _of_mbox(source, after)


def _below(top: Path) -> Iterator[Source]:
    for folder, below, names in os.walk(top):
        # In place: os.walk goes where this list says.
        below[:] = sorted(name for name in below if name != "tmp" and not _PASSED.fullmatch(name))
        path, single = Path(folder), []
        for name in sorted(names):
            kind = _kind(path / name)
            if kind == "mbox" and not _PASSED.fullmatch(path.joinpath(name).stem):
                yield Source(path=path / name, size=(path / name).stat().st_size)
            elif kind == "mail":
                single.append(name)
        if single:
            size = sum((path / name).stat().st_size for name in single)
            yield Source(path=path, size=size, names=tuple(single))


def _kind(path: Path) -> str:
    """What a file in a folder is: mbox, mail, or something else ("")."""
    name = path.name
    if path.parent.name in ("cur", "new"):
        return "" if name.startswith(".") or _UNMEANT.search(name) else "mail"
    if path.suffix.lower() == ".eml" or _NUMBERED.fullmatch(name):
        return "mail"
    if name.startswith(".") or path.suffix.lower() in (".msf", ".cmeta", ".index", ".lock"):
        return ""
    return "mbox" if _is_mbox(path) else ""


def _is_mbox(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(len(_MBOX)) == _MBOX
    return False


def _of_folder(source: Source, after: str | None) -> Iterator[Found]:
    for name in source.names:
        if after is not None and name <= after:
            continue
        path = source.path / name
        try:
            size = path.stat().st_size
            content = path.read_bytes() if size <= LARGEST else b""
        except FileNotFoundError:
            # A mail program has moved it meanwhile.
            continue
        if _FIELD.match(content):
            yield Found(content=content, place=name, size=size)


def _of_mbox(source: Source, after: str | None) -> Iterator[Found]:
    with source.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        start = int(after) if after is not None and after.isdecimal() else 0
        if start != len(text) and text[start : start + len(_MBOX)] != _MBOX:
            # It is another file by now.
            start = 0
        while start < len(text):
            end = _end(text, start)
            # Without the postmark, which is no header.
            first = text.find(b"\n", start, end) + 1
            if 0 < first < end and end - start <= LARGEST:
                yield Found(content=text[first:end], place=str(end), size=end - start)
            start = end


def _end(text: mmap.mmap, start: int) -> int:
    """Where the next postmark begins, or the file ends: an empty line stands before it (RFC 4155)."""
    place = text.find(_NEXT, start)
    while place >= 0:
        if text[place - 1 : place] == b"\n" or text[place - 2 : place] == b"\n\r":
            return place + 1
        place = text.find(_NEXT, place + 1)
    return len(text)

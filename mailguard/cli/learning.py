"""What `mailguard learn` does: years of mail, read here and remembered by the guard or in its store."""

import os
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Self, cast

from mailguard.cli.asking import ask
from mailguard.cli.ending import need
from mailguard.core import address
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.lessons import Course, Lesson, Passed, lesson
from mailguard.core.recall.observation import encode
from mailguard.core.told import Told
from mailguard.core.value import dataclass
from mailguard.edge import folders
from mailguard.edge.folders import Found, Source

Json = dict[str, object]

# Mails in one request: a few hundred kilobytes.
BATCH = 1000
BATCH_BYTES = 16 * 1024 * 1024
# Parts that are read ahead of the one that is handed over.
AHEAD = 4
WORKERS = 2
# Bytes of mail for which starting other processes pays.
MUCH = 20 * 1024 * 1024


class _NotTaken(Exception):
    """The guard did not take a part; its answer."""

    def __init__(self, answer: Json) -> None:
        super().__init__(str(answer["text"]))
        self.answer = answer


@dataclass(kw_only=True)
class _Tally:
    read: int = 0
    new: int = 0
    sent: int = 0
    passed: Counter[str] = field(default_factory=Counter)

    def count(self, lessons: Sequence[Lesson | Passed], new: int, inside: frozenset[str]) -> None:
        """Some more mails were read, and so many of them were new."""
        self.read += len(lessons)
        self.new += new
        for one in lessons:
            if isinstance(one, Passed):
                self.passed[one.value] += 1
            else:
                self.sent += address.parse(one.observation.sender).domain in inside

    def json(self) -> Json:
        """For scripts."""
        told = self.read - sum(self.passed.values())
        return {
            "read": self.read,
            "new": self.new,
            "known": told - self.new,
            "sent": self.sent,
            "incoming": told - self.sent,
            "passed_over": dict(self.passed),
        }

    def __str__(self) -> str:
        told = self.json()
        lines = [f"{self.read} mails read ({told['sent']} sent, {told['incoming']} incoming)"]
        lines += [f"{self.new} are new, {told['known']} were known already"]
        lines += [f"{count} passed over: {why}" for why, count in sorted(self.passed.items())]
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Some mails of a source; the reader has got to `place` by them."""

    source: Source
    mails: Sequence[Found]
    place: str


def learnt(config: Path | None, paths: Sequence[Path], authors: frozenset[str], *, quiet: bool) -> Json:
    """Read all mail below these paths, and hand what it teaches to the guard or to its store; the answer."""
    found = list(folders.sources(paths))
    begun = need(_asked(config, "begin", sources=[one.name for one in found]), as_json=quiet)
    places = cast("dict[str, str]", begun["places"])
    course = Course(now=datetime.now(UTC), since=datetime.fromisoformat(str(begun["since"])), authors=authors)
    inside = frozenset(cast("list[str]", begun["internal_domains"]))
    tally = _Tally()
    size = sum(one.size for one in found)
    try:
        with _Interrupts() as interrupts, _shown(size, quiet=quiet) as shown:
            for part, lessons in _read(_parts(found, places), course, _key(config), size):
                answer = _handed_over(config, part, lessons)
                tally.count(lessons, int(str(answer["new"])), inside)
                shown(sum(mail.size for mail in part.mails), len(lessons))
                interrupts.heed()
    except _NotTaken as refused:
        return refused.answer
    except KeyboardInterrupt:
        text = f"stopped; the same command goes on where it was\n{tally}"
        return {"told": Told.TRY_LATER.value, "text": text}
    need(_asked(config, "end", sources=[one.name for one in found]), as_json=quiet)
    return {"told": Told.DONE.value, "text": str(tally), "learnt": tally.json()}


def _asked(config: Path | None, step: str, **more: object) -> Json:
    return ask(config, {"verb": "learn", "step": step, **more})


def _handed_over(config: Path | None, part: _Part, lessons: Sequence[Lesson | Passed]) -> Json:
    from mailguard.flow.learning import packed  # noqa: PLC0415

    given = [packed(encode(one.observation), one.conversation) for one in lessons if isinstance(one, Lesson)]
    answer = _asked(config, "add", lessons=given, source=part.source.name, place=part.place)
    if answer["told"] != Told.DONE.value:
        raise _NotTaken(answer)
    return answer


def _key(config: Path | None) -> bytes:
    from mailguard.app.remembering import digest_key  # noqa: PLC0415
    from mailguard.edge.config import load_settings  # noqa: PLC0415

    return digest_key(load_settings(config))


def _parts(found: Sequence[Source], places: Mapping[str, str]) -> Iterator[_Part]:
    for source in found:
        mails = folders.mails(source, places.get(source.name))
        while some := _some(mails):
            yield _Part(source=source, mails=some, place=some[-1].place)


def _some(mails: Iterator[Found]) -> list[Found]:
    some, room = [], BATCH_BYTES
    for mail in mails:
        some.append(mail)
        room -= len(mail.content)
        if len(some) >= BATCH or room <= 0:
            break
    return some


def _read(
    parts: Iterator[_Part], course: Course, key: bytes, size: int
) -> Iterator[tuple[_Part, list[Lesson | Passed]]]:
    """The lessons of each part, in its order; on all processors where it is much."""
    if size < MUCH or (os.cpu_count() or 1) < WORKERS:
        student = _Student(course, key)
        for part in parts:
            yield part, student.lessons(part.mails)
        return
    # Not forked: the progress bar has a thread.
    context = get_context("spawn")
    with ProcessPoolExecutor(WORKERS, context, initializer=_ignore_interrupts) as pool:
        student, under_way = _Student(course, key), deque[tuple[_Part, Future[list[Lesson | Passed]]]]()
        for part in parts:
            under_way.append((part, pool.submit(student.lessons, part.mails)))
            if len(under_way) > AHEAD:
                done, lessons = under_way.popleft()
                yield done, lessons.result()
        for done, lessons in under_way:
            yield done, lessons.result()


class _Student:
    """Reads mails, here or in another process."""

    def __init__(self, course: Course, key: bytes) -> None:
        self._course = course
        self._key = key

    def lessons(self, mails: Sequence[Found]) -> list[Lesson | Passed]:
        """What these teach, in their order."""
        digests = Digests(self._key)
        return [lesson(mail.content, self._course, digests) for mail in mails]


class _Interrupts:
    """Ctrl-C ends it between two parts, where nothing is half done; the second Ctrl-C at once.

    Left to Python, it could come where an exception is lost: in the middle of a part being handed over, and
    the rest would be read all the same.
    """

    def __init__(self) -> None:
        self._come = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def heed(self) -> None:
        """Raises KeyboardInterrupt where one has come."""
        if self._come:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: object) -> None:
        self.heed()
        self._come = True


def _ignore_interrupts() -> None:
    # Ctrl-C goes to all; the one that asks the guard ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _shown(size: int, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for a person on a terminal; the function tells it of more bytes and mails."""
    if quiet or not sys.stderr.isatty():
        yield lambda _bytes, _mails: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    started, count = time.monotonic(), 0
    columns = (
        TextColumn("{task.fields[mails]} mails"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]:.0f} a second"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=size, mails=0, rate=0.0)

        def shown(more: int, mails: int) -> None:
            nonlocal count
            count += mails
            rate = count / max(time.monotonic() - started, 0.001)
            progress.update(task, advance=more, mails=count, rate=rate)

        yield shown

"""The operator's log: one line an event on standard error, as JSON or readable, with nothing secret in it.

Whatever a client may write (a subject, a HELO, an address) can neither begin a new line nor move a
terminal's cursor, and a value that looks like a secret by its name is masked, should one ever get here.
"""

import json
import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from functools import lru_cache
from typing import TextIO

# Long enough for any reply of a server; a line stays readable and a log cannot be flooded by one value.
LONGEST_VALUE = 1000
MASK = "***"

_SECRET_WORDS = frozenset(
    {"password", "passwd", "passphrase", "secret", "token", "credential", "credentials", "authorization"}
    | {"cookie", "body", "content"}
)
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)")
_PLAIN = re.compile(r"[^\s\"'=\\]+")
# The same without what has to be looked at more closely: no URL, nothing long, nothing that is not shown.
_HARMLESS = re.compile(r"[!#-&(-+\-.0-<>-\[\]-~]{1,200}")
_ORDINARY = frozenset({"INFO", "DEBUG"})


class LogFormat(StrEnum):
    """How a line looks: for people, or for a log collector."""

    TEXT = "text"
    JSON = "json"


class OperatorLog:
    """ports.Log: `event` is INFO, `trouble` is WARNING. `configure` makes it."""

    def __init__(self, lines: "_Lines", level: int) -> None:
        self._lines = lines
        self._level = level

    def event(self, name: str, /, **fields: object) -> None:
        """Something happened that an operator may look for."""
        if self._level <= logging.INFO:
            self._lines.write(time.time(), "INFO", name, fields)

    def trouble(self, name: str, /, **fields: object) -> None:
        """Something went wrong that somebody should look at."""
        if self._level <= logging.WARNING:
            self._lines.write(time.time(), "WARNING", name, fields)


def configure(form: LogFormat, level: str, stream: TextIO | None = None) -> OperatorLog:
    """Set up the log of the process; a second call replaces the first.

    `level` is a name of the logging module (`info`, `warning`), in any case; ValueError for another.
    Lines go to standard error unless `stream` says otherwise.
    """
    # No line shows them, and to look them up is a good part of what a line costs.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    lines = (_JsonLines if form is LogFormat.JSON else _TextLines)(
        stream if stream is not None else sys.stderr
    )
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known, _Lines)]:
        root.removeHandler(old)
    root.addHandler(lines)
    root.setLevel(logging.WARNING)
    # Below WARNING, aiosmtpd writes refused AUTH blobs and lines of messages in clear.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    logger = logging.getLogger("mailguard")
    logger.setLevel(level.upper())
    return OperatorLog(lines, logger.level)


class _Lines(logging.Handler):
    """Writes one line an event. Our own come straight in by `write`, because the records and handlers of the
    logging module cost more than all the rest of a line; what libraries log comes in by `emit`."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._turn = threading.Lock()

    def write(self, at: float, level: str, name: str, fields: Mapping[str, object]) -> None:
        when = f"{_second(int(at))}.{int(at % 1 * 1000):03}Z"
        # Nothing about the log is in the way of what it tells of: neither a value that cannot be shown, nor a
        # line that cannot be written (a full disk, a collector that is gone).
        try:
            line = self._line(when, level, name, fields)
        except Exception as error:  # noqa: BLE001
            line = self._line(when, "WARNING", "log_fault", {"about": name, "fault": type(error).__name__})
        try:
            with self._turn:
                self._stream.write(line)
                self._stream.flush()
        except (OSError, ValueError):
            return

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields: dict[str, object] = {"logger": record.name, "message": record.getMessage()}
            if record.exc_info and record.exc_info[0]:
                fields |= _failure(record.exc_info[0], record.exc_info[1])
        except Exception:  # noqa: BLE001  a library's fault, which logging tells of in its own way
            self.handleError(record)
            return
        self.write(record.created, record.levelname, "log", fields)

    def _line(self, at: str, level: str, name: str, fields: Mapping[str, object]) -> str:
        raise NotImplementedError


class _JsonLines(_Lines):
    def _line(self, at: str, level: str, name: str, fields: Mapping[str, object]) -> str:
        head = {"at": at, "level": level.lower(), "event": name}
        shown = {key: _shown(key, value) for key, value in fields.items() if value is not None}
        # The head once more, because no field may take its place.
        return json.dumps({**head, **shown, **head}) + "\n"


class _TextLines(_Lines):
    def _line(self, at: str, level: str, name: str, fields: Mapping[str, object]) -> str:
        told = "" if level in _ORDINARY else f"{level} "
        pairs = [f" {key}={_told(key, value)}" for key, value in fields.items() if value is not None]
        return f"{at} {told}{_escaped(name)}{''.join(pairs)}\n"


class _Whole(str):
    """Of our own making, and shown however long it is."""

    __slots__ = ()


def _told(key: str, value: object) -> str:
    # As nearly all values are.
    if type(value) is int:
        return str(value)
    alone = value[0] if type(value) is list and len(value) == 1 else value
    if type(alone) is str and _HARMLESS.fullmatch(alone) and not _sounds_secret(key):
        return alone
    return _quoted(_shown(key, value))


# Most lines are written in the same second as the one before, and tell of a few seconds more.
@lru_cache(maxsize=64)
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _shown(key: str, value: object) -> object:
    """A value as it may stand in the log: bounded, of plain JSON types, and masked where its key says so."""
    if isinstance(value, (int, float)):
        return value
    if _sounds_secret(key):
        return MASK
    if isinstance(value, str):
        return value if isinstance(value, _Whole) else _bounded(value)
    if isinstance(value, Mapping):
        return {str(name): _shown(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | Set):
        return [_shown(key, inner) for inner in value]
    return _text(value)


@lru_cache(maxsize=1024)
def _sounds_secret(key: str) -> bool:
    words = key.lower().replace("-", "_").split("_")
    # The path in `password_file` is no secret; what stands in the file is.
    return not _SECRET_WORDS.isdisjoint(words) and words[-1] != "file"


def _text(value: object) -> str:
    match value:
        case bytes() | bytearray() | memoryview():
            # Bytes are a message, or a part of one.
            return f"<{len(value)} bytes>"
        case datetime():
            return f"{_second(int(value.timestamp() // 1))}Z"
        case timedelta():
            return f"{value.total_seconds():g}s"
        case Enum():
            return _bounded(str(value.value))
        case BaseException():
            return _bounded(f"{type(value).__name__}: {value}")
    return _bounded(str(value))


def _bounded(text: str) -> str:
    if "://" in text:
        text = _URL_PASSWORD.sub(rf"\1{MASK}", text)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "..."


def _failure(kind: type[BaseException], error: BaseException | None) -> dict[str, object]:
    """An exception in one line: what it says, and where it came from, innermost frame last."""
    frames = traceback.extract_tb(error.__traceback__ if error else None)
    places = " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    return {"error": _text(error) if error else kind.__name__, "traceback": _Whole(places)}


def _quoted(value: object) -> str:
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value.isprintable() else _escaped(_json(value))
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return _list(value)
    return _escaped(_json(value))


def _list(items: Iterable[str]) -> str:
    shown = [_quoted(item) for item in items]
    return (
        ",".join(item if "," not in item or item.startswith('"') else _json(item) for item in shown) or "[]"
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _escaped(text: str) -> str:
    """Printable characters stay; line breaks, terminal controls and direction marks become `\\uXXXX`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)

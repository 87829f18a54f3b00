"""The operator's log: one line an event on standard error, as JSON or readable, with nothing secret in it.

Whatever a client may write (a subject, a HELO, an address) can neither begin a new line nor move a
terminal's cursor, and a value that looks like a secret by its name is masked, should one ever get here.
"""

import json
import logging
import re
import sys
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


class LogFormat(StrEnum):
    """How a line looks: for people, or for a log collector."""

    TEXT = "text"
    JSON = "json"


class OperatorLog:
    """ports.Log on the standard library's logging: `event` is INFO, `trouble` is WARNING."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def event(self, name: str, /, **fields: object) -> None:
        """Something happened that an operator may look for."""
        self._write(logging.INFO, name, fields)

    def trouble(self, name: str, /, **fields: object) -> None:
        """Something went wrong that somebody should look at."""
        self._write(logging.WARNING, name, fields)

    def _write(self, level: int, name: str, fields: Mapping[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            # Logger.info would look for the calling line each time, which is a third of the cost.
            record = logging.LogRecord(self._logger.name, level, "", 0, name, None, None)
            record.fields = fields
            self._logger.handle(record)


def configure(form: LogFormat, level: str, stream: TextIO | None = None) -> OperatorLog:
    """Set up the log of the process; a second call replaces the first.

    `level` is a name of the logging module (`info`, `warning`), in any case; ValueError for another.
    Lines go to standard error unless `stream` says otherwise.
    """
    # No line shows them, and to look them up is a good part of what a line costs.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    target = logging.StreamHandler(stream if stream is not None else sys.stderr)
    target.setFormatter(_JsonLines() if form is LogFormat.JSON else _TextLines())
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known.formatter, _Lines)]:
        root.removeHandler(old)
    root.addHandler(target)
    root.setLevel(logging.WARNING)
    # Below WARNING, aiosmtpd writes refused AUTH blobs and lines of messages in clear.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    logger = logging.getLogger("mailguard")
    logger.setLevel(level.upper())
    return OperatorLog(logger)


class _Lines(logging.Formatter):
    def _parts(self, record: logging.LogRecord) -> tuple[str, dict[str, object]]:
        """The event's name and its fields; a library's message becomes the event `log`."""
        given = getattr(record, "fields", None)
        if isinstance(given, Mapping):
            fields = {key: _shown(key, value) for key, value in given.items() if value is not None}
            name = record.getMessage()
        else:
            fields = {"logger": record.name, "message": _shown("message", record.getMessage())}
            name = "log"
        if record.exc_info and record.exc_info[0]:
            fields |= _failure(record.exc_info[0], record.exc_info[1])
        return name, fields


class _JsonLines(_Lines):
    def format(self, record: logging.LogRecord) -> str:
        name, fields = self._parts(record)
        head = {"at": _when(record), "level": record.levelname.lower(), "event": name}
        # The head once more, because no field may take its place.
        return json.dumps({**head, **fields, **head})


class _TextLines(_Lines):
    def format(self, record: logging.LogRecord) -> str:
        name, fields = self._parts(record)
        level = "" if record.levelno <= logging.INFO else f"{record.levelname} "
        pairs = "".join(f" {key}={_quoted(value)}" for key, value in fields.items())
        return f"{_when(record)} {level}{_escaped(name)}{pairs}"


def _when(record: logging.LogRecord) -> str:
    return f"{_second(int(record.created))}.{int(record.created % 1 * 1000):03}Z"


# Most lines are written in the same second as the one before.
@lru_cache(maxsize=4)
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _shown(key: str, value: object) -> object:
    """A value as it may stand in the log: bounded, of plain JSON types, and masked where its key says so."""
    if isinstance(value, (int, float)):
        return value
    if _sounds_secret(key):
        return MASK
    if isinstance(value, str):
        return _bounded(value)
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
            return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
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
    return {"error": _text(error) if error else kind.__name__, "traceback": places}


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

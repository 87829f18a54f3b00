"""TOML with line numbers: tomllib says what is in a file, the scanner below says where.

tomllib gives a line for a syntax error only. The scanner runs over text that tomllib has accepted, so it
need not judge: it only has to keep step, and may be as simple as that allows.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from mailguard.core.errors import ConfigurationError, Fault
from mailguard.core.value import dataclass

Place = tuple[str | int, ...]

# Beyond this it is no configuration but a mistake, such as a log file under the wrong name.
LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class TomlSource:
    """A file's values, and the line (from 1) on which each key or list item begins."""

    file: str
    data: dict[str, object]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int | None:
        """The line of a value, or, where the value is not there, of the table that it should be in."""
        while place:
            if place in self.lines:
                return self.lines[place]
            place = place[:-1]
        return None


def read_toml(path: Path) -> TomlSource:
    """Read a file. Raises ConfigurationError where it cannot be read or is no TOML."""
    try:
        if path.stat().st_size > LARGEST:
            raise _fault(str(path), None, "the file is far too large", "a file of a few kilobytes")
        content = path.read_bytes()
    except OSError as error:
        raise _fault(
            str(path), None, f"cannot be read: {error.strerror}", "a file that can be read"
        ) from error
    return parse_toml(content, str(path))


NESTED = "lists or tables are nested too deeply"


def parse_toml(content: bytes, file: str) -> TomlSource:
    """Read a file's bytes; `file` is the name for error messages. Raises ConfigurationError."""
    try:
        # Some editors begin a file with a mark of its encoding, which is no TOML.
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _fault(file, line, "there are bytes that are no UTF-8 text", "a file saved as UTF-8") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem, line = _syntax(str(error), text)
        raise _fault(file, line, problem, "valid TOML") from error
    except ValueError as error:
        # Python reads no whole number of thousands of digits.
        raise _fault(file, None, f"a value cannot be read: {error}", "valid TOML") from error
    except RecursionError as error:
        raise _fault(file, None, NESTED, "valid TOML") from error
    try:
        return TomlSource(file=file, data=data, lines=_Scanner(text.replace("\r\n", "\n")).lines)
    except RecursionError as error:
        raise _fault(file, None, NESTED, "valid TOML") from error


def _syntax(said: str, text: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", said, re.DOTALL)
    if match is None:
        return said, text.count("\n") + 1
    line = int(match[2]) if match[2] else len(text.rstrip().splitlines()) or 1
    return match[1][:1].lower() + match[1][1:], line


def _fault(file: str, line: int | None, problem: str, expected: str) -> ConfigurationError:
    return ConfigurationError((Fault(file=file, line=line, key="", problem=problem, expected=expected),))


_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*(?:([A-Za-z0-9_-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')[ \t]*""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})|' + r"'''.*?'''(?:'{0,2})|" + r'"(?:[^"\\]|\\.)*"|' + r"'[^']*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]*")


class _Scanner:
    """Walks once through valid TOML and notes where keys and list items begin."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self._text = text
        self._at = 0
        self._line = 1
        self._counts: dict[Place, int] = {}
        self._document()

    def _document(self) -> None:
        table: Place = ()
        self._skip()
        while self._at < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)
            self._skip()

    def _header(self) -> Place:
        several = self._text.startswith("[[", self._at)
        self._step(2 if several else 1)
        table: Place = ()
        for name in self._key():
            # A table below a list of tables is in the last one of the list so far.
            table = self._last(table)
            table = (*table, name)
        self._step(2 if several else 1)
        if several:
            self._counts[table] = self._counts.get(table, -1) + 1
        else:
            self._note(table)
            return table
        self._note(self._last(table))
        return self._last(table)

    def _last(self, table: Place) -> Place:
        return (*table, self._counts[table]) if table in self._counts else table

    def _pair(self, table: Place) -> None:
        place, line = table, self._line
        for name in self._key():
            place = (*place, name)
            self.lines.setdefault(place, line)
        self._step(1)
        self._value(place)

    def _key(self) -> list[str]:
        names: list[str] = []
        while match := _KEY.match(self._text, self._at):
            self._step(len(match[0]))
            bare, quoted, literal = match.groups()
            # The escapes of a quoted key are those of a quoted value.
            names.append(
                tomllib.loads(f'k = "{quoted}"')["k"] if quoted is not None else bare or literal or ""
            )
            if not self._text.startswith(".", self._at):
                break
            self._step(1)
        return names

    def _value(self, place: Place) -> None:
        self._skip()
        start = self._text[self._at : self._at + 1]
        if start == "[":
            self._list(place)
        elif start == "{":
            self._table(place)
        else:
            match = _STRING.match(self._text, self._at) or _PLAIN.match(self._text, self._at)
            self._step(len(match[0]) if match else 0)

    def _list(self, place: Place) -> None:
        self._step(1)
        self._skip()
        index = 0
        while self._inside("]"):
            self._note((*place, index))
            self._value((*place, index))
            index += 1
            self._comma()
        self._step(1)

    def _table(self, place: Place) -> None:
        self._step(1)
        self._skip()
        while self._inside("}"):
            self._pair(place)
            self._comma()
        self._step(1)

    def _inside(self, end: str) -> bool:
        return self._at < len(self._text) and not self._text.startswith(end, self._at)

    def _comma(self) -> None:
        self._skip()
        if self._text.startswith(",", self._at):
            self._step(1)
        self._skip()

    def _note(self, place: Place) -> None:
        self.lines.setdefault(place, self._line)

    def _skip(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._step(len(match[0]) if match else 0)

    def _step(self, length: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + length)
        self._at += length

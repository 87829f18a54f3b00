"""rules.toml: read, checked, and read again when it changes. A file with an error changes nothing."""

import asyncio
import errno
import hashlib
import stat
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from mailguard.core.errors import ConfigurationError, Fault
from mailguard.core.policy import Policy
from mailguard.core.value import dataclass
from mailguard.edge.config.faults import fault, faults_of, in_order, spelled
from mailguard.edge.config.remarks import remarks
from mailguard.edge.config.rules_checks import wrongs
from mailguard.edge.config.rules_model import RulesDocument
from mailguard.edge.config.rules_policy import policy_of
from mailguard.edge.config.toml_source import LARGEST, Place, TomlSource, parse_toml

# Polled, because change notices miss symlinks that are swapped and files that are renamed into place.
POLL_SECONDS = 2.0
# A file that changes between two looks this far apart is still being written.
SETTLE_SECONDS = 0.25

DEFAULT_NAME = "the default rules"


class Sleeper(Protocol):
    """All that the watching needs of a clock."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """A file that was read: its policy, its content and what identifies that, and what is no error but worth
    a second look."""

    policy: Policy
    content: bytes
    fingerprint: str
    remarks: tuple[Fault, ...] = ()


def parse_rules(text: str, file_name: str) -> Policy:
    """The policy that a text describes. Raises ConfigurationError with every fault in it."""
    return read_rules(text.encode("utf-8", "surrogateescape"), file_name).policy


def read_rules(content: bytes, file_name: str) -> Rules:
    """The same of a file's bytes. Raises ConfigurationError with every fault in it."""
    source = parse_toml(content, file_name)
    if not source.data:
        # An empty file is valid TOML and would hold nothing at all; it is rather one that was cut off.
        only = Fault(
            file=file_name, line=None, key="", problem="there is nothing in it", expected="at least one rule"
        )
        raise ConfigurationError((only,))

    def where(place: Place) -> tuple[str, int | None]:
        return source.file, source.line(place)

    faults = [
        fault(where, place, spelled(place, source.data), problem, expected)
        for place, problem, expected in wrongs(source.data)
    ]
    try:
        document = RulesDocument.model_validate(source.data, context={"groups": _group_names(source)})
    except ValidationError as error:
        raise ConfigurationError(
            in_order([*faults_of(error, RulesDocument, source, where), *faults])
        ) from None
    if faults:
        raise ConfigurationError(in_order(faults))
    fingerprint = _print(content)
    return Rules(
        policy=policy_of(document),
        content=content,
        fingerprint=fingerprint,
        remarks=tuple(remarks(document, source)),
    )


def default_rules() -> bytes:
    """The rules that are in force where nobody wrote any."""
    return resources.files("mailguard.edge.config").joinpath("default_rules.toml").read_bytes()


class RulesFile:
    """ports.Policies on a file: one reference to the rules in force, swapped as a whole.

    Without a file, and until there is one at `path`, the default rules are in force. A file that was
    there and is gone keeps the rules it had.
    """

    def __init__(self, path: Path | None, rules: Rules, seen: str | None) -> None:
        self._path = path
        self._rules = rules
        self._there = seen is not None
        # What identifies the content that was last looked at, None where there was none.
        self._seen = seen
        self._faults: tuple[Fault, ...] = ()
        self._reading = asyncio.Lock()
        # Called when there are other rules in force.
        self.taken: Callable[[], None] | None = None

    @classmethod
    def load(cls, path: Path | str | None) -> "RulesFile":
        """Read the file at the start. Raises ConfigurationError with every fault in it."""
        place = None if path is None else Path(path)
        content = None if place is None or not place.exists() else _read(place)
        if content is None:
            return cls(place, read_rules(default_rules(), DEFAULT_NAME), None)
        return cls(place, read_rules(content, str(place)), _print(content))

    @property
    def current(self) -> Policy:
        """The rules in force now."""
        return self._rules.policy

    @property
    def fingerprint(self) -> str:
        """The same for two guards with the same file; of the file, also where it was not taken."""
        return self._seen or DEFAULT_NAME

    @property
    def in_force(self) -> str:
        """The same for two processes with the same rules in force."""
        return self._rules.fingerprint

    @property
    def content(self) -> bytes:
        """The file of the rules in force, for another process to `adopt`."""
        return self._rules.content

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Why the newest file was not taken; empty where it was."""
        return self._faults

    @property
    def remarks(self) -> tuple[Fault, ...]:
        """What is no error in the rules in force, but worth a second look."""
        return self._rules.remarks

    async def reload(self) -> tuple[Fault, ...]:
        """Read the file again now; its faults, or nothing where it is in force."""
        async with self._reading:
            # In a thread: a long file takes longer to read than the loop may stand still.
            before = self._rules
            self._faults = await asyncio.to_thread(self._take)
        if self.taken is not None and self._rules is not before:
            self.taken()
        return self._faults

    async def adopt(self, content: bytes) -> None:
        """Take what another process has in force. Raises ConfigurationError where it makes no sense here."""
        async with self._reading:
            self._rules = await asyncio.to_thread(read_rules, content, str(self._path or DEFAULT_NAME))

    async def watch(self, clock: Sleeper, on_change: Callable[[tuple[Fault, ...]], None]) -> None:
        """Reload whenever the content of the file has changed, and tell the outcome; until cancelled."""
        while True:
            await clock.sleep(POLL_SECONDS)
            if not await self._changed():
                continue
            before = await asyncio.to_thread(self._look)
            await clock.sleep(SETTLE_SECONDS)
            if before == await asyncio.to_thread(self._look):
                on_change(await self.reload())

    async def _changed(self) -> bool:
        # A reload that was asked for by hand has seen the change already.
        async with self._reading:
            return await asyncio.to_thread(self._look) != self._seen

    def _look(self) -> str | None:
        """What identifies the content that the file has now; None where it cannot be read."""
        try:
            return None if self._path is None else _print(_read(self._path))
        except ConfigurationError:
            return None

    def _take(self) -> tuple[Fault, ...]:
        if self._path is None or not (self._there or self._path.exists()):
            return ()
        self._there, self._seen = True, None
        try:
            content = _read(self._path)
            self._seen = _print(content)
            self._rules = read_rules(content, str(self._path))
        except ConfigurationError as error:
            return error.faults
        return ()


def _read(path: Path) -> bytes:
    try:
        # A pipe that nobody writes to would keep the reader waiting for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        fault = Fault(file=str(path), line=None, key="", problem=problem, expected="a file that can be read")
        raise ConfigurationError((fault,)) from error
    if len(content) > LARGEST:
        fault = Fault(
            file=str(path), line=None, key="", problem="is far too large", expected="a few kilobytes"
        )
        raise ConfigurationError((fault,))
    return content


def _print(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _group_names(source: TomlSource) -> tuple[str, ...]:
    groups = source.data.get("groups")
    return tuple(groups) if isinstance(groups, dict) else ()

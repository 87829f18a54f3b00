"""`mailguard doctor`: what is wrong with this installation, and the mend for each."""

import shutil
import socket
import sqlite3
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from mailguard.cli.asking import ask
from mailguard.cli.ending import told
from mailguard.core.errors import MailguardError
from mailguard.core.told import Told
from mailguard.core.value import dataclass
from mailguard.edge.config import Settings, check_config, load_settings

# The upstream should greet sooner than this.
GREETING_WITHIN = 10.0
# Room for so many of the largest messages; below that new mail is soon refused.
ROOM_FOR = 20


@dataclass(frozen=True, kw_only=True)
class Ailment:
    """One thing that is wrong, and what to do about it."""

    problem: str
    mend: str

    def __str__(self) -> str:
        return f"- {self.problem}\n  {self.mend}"


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What is wrong, and which guards share the queue (the objects of `status`)."""

    ailments: Sequence[Ailment]
    nodes: Sequence[Mapping[str, Any]] = ()


def examined(config: Path | None) -> Examination:
    """Everything that is wrong, the configuration first: without it nothing else can be told."""
    faults = check_config(config)
    if faults:
        mend = "mend this line of the file"
        return Examination(ailments=[Ailment(problem=str(fault), mend=mend) for fault in faults])
    settings = load_settings(config)
    answer = ask(config, {"verb": "status"})
    ailments = [
        *_disk(settings),
        *_guard(answer, settings),
        *_upstream(settings),
        *_logins(settings),
    ]
    status = cast("dict[str, Any]", answer.get("status", {}))
    return Examination(ailments=ailments, nodes=status.get("nodes", ()))


def _disk(settings: Settings) -> Iterator[Ailment]:
    directory = settings.state_dir
    if not directory.is_dir():
        yield Ailment(
            problem=f"the state directory {directory} is missing", mend="it is made by `mailguard serve`"
        )
        return
    if stat.S_IMODE(directory.stat().st_mode) & 0o077:
        yield Ailment(
            problem=f"others may look into {directory}, where mail is kept", mend=f"chmod 700 {directory}"
        )
    free, needed = shutil.disk_usage(directory).free, ROOM_FOR * settings.smtp.max_message_bytes
    if free < needed:
        yield Ailment(
            problem=f"only {free // 2**20} MiB are free for {directory}",
            mend=f"make room: {needed // 2**20} MiB at least",
        )
    if sqlite3.sqlite_version_info < (3, 35):
        yield Ailment(problem=f"SQLite {sqlite3.sqlite_version} is too old", mend="use SQLite 3.35 or newer")


def _guard(answer: Mapping[str, object], settings: Settings) -> Iterator[Ailment]:
    if told(answer) is not Told.DONE:
        # Where the store itself says what to do, that is what to do.
        text, _, mend = str(answer["text"]).rpartition("; ")
        problem, mend = (text, mend) if text else (mend, "do that; the guard's log may tell more")
        yield Ailment(problem=f"no answer from the guard: {problem}", mend=mend)
        return
    status = cast("dict[str, Any]", answer["status"])
    if not status["running"]:
        yield Ailment(problem="the guard is not running", mend="start it: mailguard serve")
        yield from _queue_file(settings)
    for trouble in status.get("troubles", ()):
        problem, _, mend = str(trouble).rpartition("; ")
        yield Ailment(problem=problem, mend=mend)
    if status["overdue"]:
        yield Ailment(
            problem=f"{status['overdue']} messages are late, the oldest since {status['oldest_overdue']}",
            mend="see why: mailguard queue, then mailguard show ID",
        )
    yield from _nodes(status.get("nodes", ()))
    for error in status["reload_errors"]:
        yield Ailment(
            problem=f"the rules file is not in force: {error}", mend="mend it; it is re-read at once"
        )


def _nodes(nodes: Sequence[Mapping[str, Any]]) -> Iterator[Ailment]:
    """Guards of this queue that ended without a word; one that was started anew since is well."""
    begun = [(_host(node), node["since"] or "") for node in nodes if node["alive"]]
    for node in nodes:
        if not node["alive"] and not any(h == _host(node) and at >= node["heard"] for h, at in begun):
            yield Ailment(
                problem=f"the guard {node['name']} of this queue was not heard of since {node['heard']}",
                mend="start it there again; where it is gone for good, it is forgotten within an hour",
            )


def _host(node: Mapping[str, Any]) -> str:
    return str(node["name"]).rpartition(":")[0]


def _queue_file(settings: Settings) -> Iterator[Ailment]:
    """What only shows when all of it is read, which takes a while: not beside a guard that is running."""
    # Imported here because a running guard answers without all this.
    from mailguard.edge.store import StateLock, examine  # noqa: PLC0415

    if settings.database is None or not settings.database.exists():
        return
    mend = "keep a copy of the state directory, then restore a backup, or install the version that wrote it"
    try:
        with StateLock.take(settings.state_dir):
            for problem in examine(settings.database):
                yield Ailment(problem=problem, mend=mend)
    except MailguardError as error:
        yield Ailment(problem=str(error), mend=mend)


def _upstream(settings: Settings) -> Iterator[Ailment]:
    upstream = settings.upstream
    if upstream.kind != "smtp" or upstream.host is None:
        return
    where = f"{upstream.host}:{upstream.port}"
    try:
        with socket.create_connection((upstream.host, upstream.port), timeout=GREETING_WITHIN) as talk:
            if upstream.tls != "tls" and not talk.recv(512).startswith(b"220"):
                yield Ailment(problem=f"{where} does not greet like a mail server", mend="check [upstream]")
    except OSError as error:
        yield Ailment(
            problem=f"the outgoing server {where} cannot be reached: {error.strerror or error}",
            mend="check host and port in [upstream], the network, and its firewall",
        )


def _logins(settings: Settings) -> Iterator[Ailment]:
    if not settings.smtp.trusted_networks and not settings.accounts.file.exists():
        yield Ailment(
            problem="nobody may send: no trusted network, and no login",
            mend="add a login: mailguard users add NAME --address ADDRESS",
        )

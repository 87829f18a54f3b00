"""`mailguard detect --stdio`: the recipient checks as a filter, a JSON object a line."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from mailguard.cli import options
from mailguard.cli.asking import faults_told
from mailguard.cli.ending import need
from mailguard.core.told import Told
from mailguard.core.value import replace

if TYPE_CHECKING:
    from mailguard.core.policy import Policy
    from mailguard.core.recall.dialogue import Dialogue
    from mailguard.core.recall.recollecting import Judge
    from mailguard.core.recall.remembrance import Remembrance
    from mailguard.ports import Records

_QUEUE = "queue.db"
_AT_ONCE = 2000


@click.command()
@options.config
@click.option(
    "--stdio", is_flag=True, required=True, help="Read from standard input, write to standard output."
)
@click.option(
    "--state",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Begin with the memory of this state directory, whose guard is stopped; nothing is written to it."
    " Where the configuration names PostgreSQL, with that of the queue there, whose guards may run.",
)
@click.option(
    "--internal",
    multiple=True,
    metavar="DOMAIN",
    help="A domain of the sender's own; repeatable. Else those of the rules, or the sender's.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, max=100),
    metavar="NUMBER",
    help="Of 100 right mails so many may have an unlikely recipient [as in the rules, else 1].",
)
def detect(
    config: Path | None, stdio: bool, state: Path | None, internal: tuple[str, ...], rate: float | None
) -> None:
    """Judge recipients as a filter: JSON lines in, JSON lines out, in a fresh memory or in that of --state.

    {"op": "observe", "msg": {...}} remembers a message; {"op": "score", "msg": {...}} judges one and
    changes nothing. With --config the checks are those of its rules.
    """
    answer = need(faults_told(lambda: _made(config, state, internal, rate)), as_json=False)
    _talk(cast("Dialogue", answer["dialogue"]))


def _made(
    config: Path | None, state: Path | None, internal: tuple[str, ...], rate: float | None
) -> dict[str, object]:
    made = _dialogue(config, state, internal, rate)
    return {"told": Told.DONE.value, "text": "", "dialogue": made}


def _talk(dialogue: "Dialogue") -> None:
    """A line that makes no sense is told and passed over: there may be years of mail behind it."""
    wrong = 0
    for number, line in enumerate(sys.stdin.buffer, 1):
        asked: object = None
        try:
            asked = json.loads(line)
            said = dialogue.answer(cast("dict[str, Any]", asked))
        except (ValueError, RecursionError) as error:
            wrong += 1
            click.echo(f"line {number} of standard input: {error}", err=True)
            # Who asked waits for a line.
            waits = isinstance(asked, dict) and asked.get("op") == "score"
            said = {"scores": {}, "findings": [], "error": str(error)} if waits else None
        if said is not None:
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()
    if wrong:
        raise click.ClickException(f"{wrong} lines made no sense and were passed over")


def _dialogue(
    config: Path | None, state: Path | None, internal: tuple[str, ...], rate: float | None
) -> "Dialogue":
    import secrets  # noqa: PLC0415

    from mailguard.core.recall.dialogue import Dialogue  # noqa: PLC0415
    from mailguard.core.recall.hashing import Digests  # noqa: PLC0415
    from mailguard.core.recall.learnt import Learnt  # noqa: PLC0415
    from mailguard.core.recall.remembrance import Remembrance  # noqa: PLC0415
    from mailguard.edge.learned import load  # noqa: PLC0415

    policy = _policy(config, internal, rate)
    judge, memory = Learnt(load()), Remembrance()
    if state is None:
        return Dialogue(judge=judge, digests=Digests(secrets.token_bytes(32)), policy=policy, memory=memory)
    key, meant = _remembered(config, state, memory, judge)
    return Dialogue(judge=judge, digests=Digests(key), policy=policy, memory=memory, meant=meant)


def _policy(config: Path | None, internal: tuple[str, ...], rate: float | None) -> "Policy":
    """The recipient checks, of the rules or all; what the command line says counts more."""
    from mailguard.core.patterns import domains  # noqa: PLC0415
    from mailguard.core.policy import CheckOptions  # noqa: PLC0415
    from mailguard.core.recall.dialogue import every_check, recipients_only  # noqa: PLC0415

    try:
        domains(internal)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--internal") from error
    if config is None:
        return every_check(internal, CheckOptions().warn_per_hundred if rate is None else rate)
    from mailguard.edge.config import RulesFile, load_settings  # noqa: PLC0415

    policy = recipients_only(RulesFile.load(load_settings(config).rules_file).current)
    if internal:
        policy = replace(policy, internal_domains=internal)
    return policy if rate is None else replace(policy, options=replace(policy.options, warn_per_hundred=rate))


def _remembered(
    config: Path | None, state: Path, memory: "Remembrance", judge: "Judge"
) -> tuple[bytes, Mapping[str, frozenset[tuple[str, str]]]]:
    """Read the log of a state directory, or of the queue in PostgreSQL that its guard shares, into the
    memory; the key of its digests, and what was meant.

    Raises StoreError, StoreLocked where a guard uses the directory's own queue.
    """
    # All verbs load this module, and must not wait for what this one option wants.
    import asyncio  # noqa: PLC0415

    from mailguard.edge.config import load_settings  # noqa: PLC0415
    from mailguard.edge.secret import KEY_FILE, Secret  # noqa: PLC0415
    from mailguard.edge.store import StateLock  # noqa: PLC0415
    from mailguard.flow.learning import PURPOSE  # noqa: PLC0415

    settings = load_settings(config) if config else None
    shared = settings is not None and settings.database is None
    for name in (KEY_FILE,) if shared else (KEY_FILE, _QUEUE):
        if not (state / name).is_file():
            reason = f"{state} is no state directory of a guard: it has no {name}"
            where = "; name the configuration of a guard whose queue is in PostgreSQL (--config)"
            raise click.BadParameter(reason + where * (name == _QUEUE), param_hint="--state")
    if settings is not None and shared:
        # Others may use it: nobody's place in it is taken.
        meant = asyncio.run(_read_shared(settings.store.url.get_secret_value(), memory, judge))
    else:
        with StateLock.take(state):
            meant = asyncio.run(_read_own(state / _QUEUE, memory, judge))
    return Secret.open(state).derive(PURPOSE), meant


async def _read_own(
    path: Path, memory: "Remembrance", judge: "Judge"
) -> Mapping[str, frozenset[tuple[str, str]]]:
    from mailguard.edge import oplog  # noqa: PLC0415
    from mailguard.edge.store import Database, SqliteRecords  # noqa: PLC0415

    database = await Database.open(path, log=oplog.configure(oplog.LogFormat.TEXT, "error"))
    try:
        return await _read(SqliteRecords(database), memory, judge)
    finally:
        await database.close()


async def _read_shared(
    url: str, memory: "Remembrance", judge: "Judge"
) -> Mapping[str, frozenset[tuple[str, str]]]:
    from mailguard.app.storing import library  # noqa: PLC0415
    from mailguard.edge import oplog  # noqa: PLC0415

    postgres = library()
    database = await postgres.SharedDatabase.open(url, log=oplog.configure(oplog.LogFormat.TEXT, "error"))
    try:
        return await _read(postgres.PostgresRecords(database), memory, judge)
    finally:
        await database.close()


async def _read(
    records: "Records", memory: "Remembrance", judge: "Judge"
) -> Mapping[str, frozenset[tuple[str, str]]]:
    after, upto = (-(1 << 62), 0), await records.latest()
    while chunk := await records.read(after, upto, _AT_ONCE):
        after = (chunk[-1].observation.when, chunk[-1].number)
        for entry in chunk:
            memory.observe(entry.observation)
            if entry.score is not None and entry.judged_by == judge.fingerprint:
                judge.passed(entry.score)
    return await records.meant()

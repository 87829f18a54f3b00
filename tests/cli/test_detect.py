import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from mailguard.core.recall.dialogue import letter
from mailguard.core.recall.digest import read
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.posting import mark
from mailguard.edge import oplog
from mailguard.edge.secret import Secret
from mailguard.edge.store import Database, SqliteRecords, StateLock
from mailguard.edge.store.postgres import PostgresRecords, SharedDatabase
from mailguard.flow.learning import PURPOSE
from mailguard.ports import Entry, Records
from tests import postgres_server


def _run(lines: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mailguard", "detect", "--stdio", *arguments]
    return subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60, check=False)


def test_lines_in_lines_out() -> None:
    message = {"id": "1", "date": "2026-01-05T09:00:00Z", "from": "a@corp.example", "to": ["b@corp.example"]}
    lines = [
        {"op": "observe", "msg": message},
        {"op": "score", "msg": message},
        {"op": "score", "msg": message},
    ]
    done = _run("".join(json.dumps(line) + "\n" for line in lines), "--internal", "corp.example")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [set(answer["scores"]) for answer in answers] == [{"b@corp.example", "*"}] * 2
    assert all(isinstance(answer["findings"], list) for answer in answers)


def test_a_line_that_makes_no_sense_is_told_with_its_number_and_passed_over() -> None:
    wrong = '{"op": "observe"}\nno json\n{"op": "score", "msg": {"to": []}}\n\n' + "[" * 100_000 + "\n"
    right = json.dumps({"op": "score", "msg": {"from": "a@x.example", "to": ["b@x.example"]}}) + "\n"
    done = _run(wrong + right)
    refused, answered = map(json.loads, done.stdout.splitlines())
    assert done.returncode != 0
    assert all(f"line {number} " in done.stderr for number in range(1, 6))
    assert refused["scores"] == {} and "from" in refused["error"]
    assert set(answered["scores"]) == {"b@x.example", "*"}


def _history() -> list[dict[str, Any]]:
    return [
        {
            "id": f"{day}@x",
            "date": f"2026-01-{day:02}T09:00:00Z",
            "from": "anna@corp.example",
            "to": ["paul@client.example"],
        }
        for day in range(1, 25)
    ]


def _scored(message: dict[str, Any], *arguments: str) -> dict[str, Any]:
    done = _run(json.dumps({"op": "score", "msg": message}) + "\n", *arguments)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


async def _remember(state: Path, records: Records) -> None:
    """What a guard would have remembered of the history, and that Anna meant one of two first contacts."""
    digests = Digests(Secret.open(state).derive(PURPOSE))
    observations = [read(letter(message), digests).observation for message in _history()]
    await records.append([Entry(mark=mark(one), observation=one) for one in observations])
    await records.add_meant("anna@corp.example", [("first_contact", "meant@client.example")])


async def _fill(state: Path) -> None:
    database = await Database.open(state / "queue.db", log=oplog.configure(oplog.LogFormat.TEXT, "error"))
    try:
        await _remember(state, SqliteRecords(database))
    finally:
        await database.close()


def _first_contacts(message: dict[str, Any], *arguments: str) -> list[str]:
    found = _scored(message, *arguments)["findings"]
    return [one["recipient"] for one in found if one["check"] == "first_contact"]


async def test_a_state_directory_gives_its_memory_and_its_rules(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    await _fill(state)
    known = {**_history()[0], "id": "30@x", "date": "2026-02-01T09:00:00Z"}
    new = {**known, "to": ["new@client.example", "meant@client.example", "colleague@corp.example"]}
    (tmp_path / "mailguard.toml").write_text('state_dir = "state"\nhostname = "guard.corp.example"\n')
    (tmp_path / "rules.toml").write_text('internal_domains = ["corp.example"]\n')
    given = ("--state", str(state), "--config", str(tmp_path / "mailguard.toml"))
    assert _scored(known, *given)["scores"]["*"] < _scored(known)["scores"]["*"]
    found = _scored(new, *given)["findings"]
    contacts = [one for one in found if one["check"] == "first_contact"]
    assert contacts == [
        {
            "check": "first_contact",
            "severity": "note",
            "recipient": "new@client.example",
            "text": "It is your first mail to new@client.example.",
        }
    ]


async def test_a_queue_in_postgresql_gives_its_memory_beside_running_guards(tmp_path: Path) -> None:
    with postgres_server.running() as server:
        url = server.database()
        database = await SharedDatabase.open(url, log=oplog.configure(oplog.LogFormat.TEXT, "error"))
        try:
            await _remember(tmp_path, PostgresRecords(database))
        finally:
            await database.close()
        (tmp_path / "mailguard.toml").write_text(f'state_dir = "."\n[store]\nurl = "{url}"\n')
        (tmp_path / "rules.toml").write_text('internal_domains = ["corp.example"]\n')
        known = {**_history()[0], "id": "30@x", "date": "2026-02-01T09:00:00Z"}
        new = {**known, "to": ["new@client.example", "meant@client.example", "paul@client.example"]}
        given = ("--state", str(tmp_path), "--config", str(tmp_path / "mailguard.toml"))
        with StateLock.take(tmp_path):
            assert _first_contacts(new, *given) == ["new@client.example"]


def test_without_its_configuration_the_queue_in_postgresql_is_asked_for(tmp_path: Path) -> None:
    Secret.open(tmp_path)
    done = _run("", "--state", str(tmp_path))
    assert done.returncode == 2
    assert "PostgreSQL (--config)" in " ".join(done.stderr.split())


def test_a_directory_that_is_none_of_a_guard_is_refused_and_stays_empty(tmp_path: Path) -> None:
    done = _run("", "--state", str(tmp_path))
    assert done.returncode == 2
    assert "no state directory" in done.stderr
    assert list(tmp_path.iterdir()) == []


async def test_the_state_directory_of_a_running_guard_is_left_alone(tmp_path: Path) -> None:
    await _fill(tmp_path)
    with StateLock.take(tmp_path):
        done = _run("", "--state", str(tmp_path))
    assert done.returncode == 75
    assert "stop that one first" in done.stderr


def test_a_domain_that_is_none_is_refused() -> None:
    done = _run("", "--internal", "a b")
    assert done.returncode == 2
    assert "--internal" in done.stderr

"""The mail of the README, through the whole program: the boss is meant, the client's name was completed."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import guard as guards
from tests.guard import Guard

BOSS, CLIENT = "robert.stone@corp.example", "karl.steele@client.example"
ANNA = "anna.moser@corp.example"
TEXT = """Hello Robert,

as discussed the layoffs come in May. The cost cuts must stay internal, nobody tells the client.

Anna
"""
PROJECT = "Dear Karl,\n\nhere is the delivery plan of the project, milestones and tests.\n\nAnna\n"


def mail(to: str, text: str, *, number: int = 0, subject: str = "Cost cuts") -> str:
    date = f"{1 + number % 28:02} {'Sep' if number < 28 else 'Oct'} 2026 10:{number % 60:02}:00 +0000"
    return (
        f"From: Anna Moser <{ANNA}>\nTo: {to}\nSubject: {subject}\nDate: {date}\n"
        f"Message-ID: <{number}.{to}>\n\n{text}"
    )


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A guard whose mail leaves into a folder."""
    directory = tmp_path_factory.mktemp("story")
    with guards.running(directory, {"kind": "maildir", "path": "outgoing"}) as started:
        yield started


def warnings(guard: Guard, directory: Path, to: str, text: str) -> dict[str, str]:
    """What `mailguard try` warns of: the sentences by check."""
    path = directory / "story.eml"
    path.write_text(mail(to, text))
    found = guard.ask("try", str(path), "--from", ANNA, "--to", to)["findings"]
    return {one["check"]: one["text"] for one in found if one["severity"] == "warning"}


def test_on_day_one_and_with_history(guard: Guard, tmp_path: Path) -> None:
    # Nothing is known of anybody: the greeting alone tells.
    assert "Robert" in warnings(guard, tmp_path, CLIENT, TEXT)["greeting_mismatch"]
    assert warnings(guard, tmp_path, BOSS, TEXT) == {}
    folder = tmp_path / "sent"
    folder.mkdir()
    for number in range(0, 50, 2):
        boss = "Hello Robert,\n\nlayoffs and cost cuts, the internal numbers\n\nAnna\n"
        (folder / f"{number}.eml").write_text(mail(BOSS, boss, number=number))
    for number in range(1, 50, 2):
        (folder / f"{number}.eml").write_text(mail(CLIENT, PROJECT, number=number, subject="Delivery plan"))
    assert guard.verb("learn", str(folder)).returncode == 0
    end = time.monotonic() + 30
    while guard.ask("status")["memory"]["mails"] < 50:
        assert time.monotonic() < end, guard.log()
    # Now the boss is named, though the client is written to as often.
    noticed = warnings(guard, tmp_path, CLIENT, TEXT)
    assert any(BOSS in sentence for sentence in noticed.values()), noticed
    assert warnings(guard, tmp_path, BOSS, TEXT) == {}
    assert warnings(guard, tmp_path, CLIENT, PROJECT) == {}

"""The points of a trace are counted as strace counts when it has to kill."""

from pathlib import Path

import pytest

from tests.crash import killing
from tests.crash.figures import tell
from tests.crash.killing import Point

TRACE = [
    "10 read(5, ...) = 3",
    "11 pwrite64(7, ...) = 24",
    "11 pwrite64(7, ...) = 4096",
    "10 read(5 <unfinished ...>",
    "11 fdatasync(7) = 0",
    "10 <... read resumed>, ...) = 8",
    "11 write(9, ...) = 8",
    "10 write(5, ...) = 60",
    "10 write(5, ...) = 60",
    "10 +++ killed by SIGKILL +++",
]


def test_each_call_of_a_trace_is_a_point() -> None:
    found = killing.points(TRACE, [("accept", ""), ("answer", r"write\(9")])
    assert list(map(str, found)) == [
        "accept-read-1",
        "accept-pwrite64-1",
        "accept-pwrite64-2",
        "accept-read-2",
        "accept-fdatasync-1",
        "answer-write-1",
        "answer-write-2",
    ]
    assert found[0] == Point(part="accept", call="read", number=1)


def test_figures_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAILGUARD_FIGURES", str(tmp_path / "figures"))
    for number in (1, 2):
        tell("kill -9", {"kills": number, "promises broken": 0})
    assert (tmp_path / "figures").read_text() == capsys.readouterr().out
    assert "kill -9: 2 kills, 0 promises broken\n" in (tmp_path / "figures").read_text()

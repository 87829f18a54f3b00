"""The truth in the exit code."""

import json

import pytest

from mailguard.cli import ending


def ended(*answers: dict[str, object], as_json: bool = False, single: bool = False) -> int:
    """The exit code of a verb with these answers."""
    with pytest.raises(SystemExit) as exit_:
        ending.end(list(answers), as_json=as_json, single=single)
    return int(exit_.value.code or 0)


DONE: dict[str, object] = {"told": "done", "text": "x is cancelled"}
LATE: dict[str, object] = {"told": "too_late", "text": "x: it left"}


def test_all_done_is_zero_and_goes_to_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(DONE, {"told": "already", "text": "so it is"}) == 0
    captured = capsys.readouterr()
    assert captured.out == "x is cancelled\nso it is\n"
    assert captured.err == ""


def test_the_first_that_is_not_done_decides_and_goes_to_the_error_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended(DONE, LATE, {"told": "not_yours", "text": "no"}) == 4
    assert "it left" in capsys.readouterr().err


def test_json_is_one_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(DONE, LATE, as_json=True) == 4
    assert [one["result"] for one in json.loads(capsys.readouterr().out)] == ["done", "too_late"]
    assert ended(LATE, as_json=True, single=True) == 4
    assert json.loads(capsys.readouterr().out)["text"] == "x: it left"


def test_controls_never_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    ended({"told": "done", "text": "a\x1b[2Jb"})
    assert "\x1b" not in capsys.readouterr().out

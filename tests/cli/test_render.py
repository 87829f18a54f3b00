"""What a person sees: nothing foreign reaches the terminal as it came."""

from datetime import timedelta

import pytest

from mailguard.cli import render
from mailguard.core import view
from mailguard.core.findings import Finding
from mailguard.core.states import MessageState
from tests.making import NOW, in_state, message, recipient

NASTY = "\x1b[2J\u202egnp.exe\r\nmailguard: all is well"


def test_the_list_tells_when_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    render.queue([[view.message(message())]], NOW)
    out = capsys.readouterr().out
    for word in (
        "k7fm2xqp9d3t",
        "held",
        "in 5:00",
        "a@corp.example",
        "b@client.example",
        "Cost cuts",
        "external",
    ):
        assert word in out


def test_an_empty_list_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    render.queue([], NOW)
    assert "Nothing is waiting." in capsys.readouterr().out


def test_controls_and_directions_are_made_visible(capsys: pytest.CaptureFixture[str]) -> None:
    held = message(
        recipient(reply=NASTY), subject=NASTY, sender=NASTY, findings=(Finding(check="unreadable"),)
    )
    shown = {**view.message(held), "events": [{"at": "t", "event": "e", "by": NASTY, "x": NASTY}]}
    render.queue([[shown]], NOW)
    render.show(shown, NOW)
    out = capsys.readouterr().out
    assert "\x1b[2J" not in out
    assert "\u202e" not in out
    assert "\n" + "mailguard: all is well" not in out


def test_markup_in_a_subject_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    render.queue([[view.message(message(subject="[red]sale[/red] [link=x]"))]], NOW)
    assert "[red]sale[/red] [link=x]" in capsys.readouterr().out


@pytest.mark.parametrize("state", MessageState)
def test_every_state_can_be_shown(state: MessageState, capsys: pytest.CaptureFixture[str]) -> None:
    shown = {**view.message(in_state(state)), "events": []}
    render.queue([[shown]], NOW)
    render.show(shown, NOW)
    assert state.value in capsys.readouterr().out


def test_the_time_until_it_leaves() -> None:
    shown = view.message(message())
    assert render.leaves(shown, NOW) == "in 5:00"
    assert render.leaves(shown, NOW - timedelta(hours=2)) == "in 2:05:00"
    assert render.leaves(shown, NOW + timedelta(hours=2)) == "now"


def test_the_status_shows_what_is_late_and_which_rules_were_not_taken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    render.status(
        {
            "running": True,
            "listeners": {"SMTP": ["127.0.0.1:2525"]},
            "upstream": "folder x",
            "messages": {"held": 2, "sent": 0},
            "overdue": 2,
            "oldest_overdue": "2026-11-22T10:00:00Z",
            "rules": ["external"],
            "reload_errors": ["rules.toml:3: bad"],
        }
    )
    out = capsys.readouterr().out
    for word in ("running", "127.0.0.1:2525", "2 held", "2 since", "external", "rules.toml:3: bad"):
        assert word in out


def test_the_guards_of_a_shared_queue_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    known = {"since": "2026-11-22T08:00:00Z", "heard": "2026-11-22T10:00:00Z", "in_hand": 3}
    odd = {"name": "b\x1b[2J:7", "address": None, "since": None, "heard": known["heard"], "in_hand": 0}
    render.status(
        {
            "running": False,
            "listeners": {},
            "upstream": "folder x",
            "messages": {},
            "overdue": 0,
            "oldest_overdue": None,
            "rules": [],
            "reload_errors": [],
            "nodes": [
                {"name": "a:1", "address": "192.0.2.7", "alive": True, **known},
                {**odd, "alive": False},
            ],
        }
    )
    out = " ".join(capsys.readouterr().out.split())
    assert "a:1 at 192.0.2.7, since 2026-11-22T08:00:00Z, heard of 2026-11-22T10:00:00Z, 3 in hand" in out
    assert "b\\u001b[2J:7, NOT heard of since 2026-11-22T10:00:00Z, 0 in hand" in out

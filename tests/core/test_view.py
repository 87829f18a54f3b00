"""The JSON that people and scripts see."""

import json
from datetime import timedelta, timezone

from mailguard.core import view
from mailguard.core.events import Event
from mailguard.core.findings import Finding
from tests.making import NOW, message, recipient


def test_times_are_utc_and_end_in_z() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=2)))
    assert view.time(elsewhere) == "2026-11-22T10:00:00Z"
    assert view.time(None) is None


def test_a_message_shows_the_earliest_time_and_every_recipient() -> None:
    later = recipient("c@x.example", release_at=NOW + timedelta(hours=1))
    shown = view.message(message(recipient(), later))
    assert shown["release_at"] == "2026-11-22T10:05:00Z"
    assert json.dumps(shown)
    recipients = shown["recipients"]
    assert isinstance(recipients, list)
    assert [one["release_at"] for one in recipients] == ["2026-11-22T10:05:00Z", "2026-11-22T11:00:00Z"]


def test_a_finding_has_its_sentence_in_the_readers_language() -> None:
    found = Finding(check="forgotten_attachment")
    assert view.finding(found, "en")["text"] != view.finding(found, "fr")["text"]


def test_a_detail_never_hides_what_an_event_is() -> None:
    event = Event(
        at=NOW, event="cancel", by="a", detail={"event": "x", "by": "y", "dropped": ["b@x.example"]}
    )
    assert view.event(event) == {
        "at": "2026-11-22T10:00:00Z",
        "event": "cancel",
        "by": "a",
        "dropped": ["b@x.example"],
    }

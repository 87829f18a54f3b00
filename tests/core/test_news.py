"""What is told outside is what the admin may want to know, and never whom a mail was for."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailguard.core import delivery, moves, news
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.events import GUARD, Event
from mailguard.core.findings import Finding, Severity
from mailguard.core.hold import Change, HeldMessage
from mailguard.core.news import Topic, topic_of
from mailguard.core.states import MessageState
from tests.making import NOW, gated, in_state, message, recipient

SECRET = "secret.client@acquisition.example"
FLAGGED = (
    Finding(
        check="wrong_namesake", severity=Severity.WARNING, recipient=SECRET, parameters={"meant": SECRET}
    ),
)


def received(by: str = "a") -> Event:
    return Event(at=NOW, event="received", by=by, detail={"peer": "127.0.0.1"})


def topic(change: moves.Result) -> Topic | None:
    assert isinstance(change, Change)
    return topic_of(change.after, change.event)


def settled(held: HeldMessage, answer: Answer) -> Change:
    flying = replace(held, recipients=tuple(replace(r, in_flight=True, attempts=1) for r in held.recipients))
    flying = replace(flying, state=MessageState.RELAYING)
    outcomes = [Outcome(address=r.address, answer=answer, reply="x") for r in flying.recipients]
    return delivery.settle(flying, outcomes, by=GUARD, now=NOW + timedelta(hours=1))


def test_what_arrives_is_news_where_something_looks_wrong_or_somebody_must_decide() -> None:
    assert topic_of(message(), received()) is None
    assert topic_of(message(findings=FLAGGED), received()) is Topic.FLAGGED
    assert topic_of(in_state(MessageState.APPROVAL), received()) is Topic.APPROVAL
    assert topic_of(in_state(MessageState.CONFIRM), received()) is None
    assert topic_of(replace(in_state(MessageState.CONFIRM), findings=FLAGGED), received()) is Topic.FLAGGED


def test_a_cancel_is_news_where_it_is_not_the_senders_own() -> None:
    for own in ("a", "a@corp.example", "A@CORP.example"):
        assert topic(moves.cancel(message(), (), by=own, now=NOW)) is None
    for other in ("admin", "b", "b@corp.example"):
        assert topic(moves.cancel(message(), (), by=other, now=NOW)) is Topic.CANCELLED


def test_what_an_approver_decides_and_what_nobody_did() -> None:
    waiting = in_state(MessageState.APPROVAL)
    assert topic(moves.approve(waiting, by="p", now=NOW)) is Topic.APPROVED
    assert topic(moves.reject(waiting, "no", by="p", now=NOW)) is Topic.REJECTED
    assert topic(moves.expire(waiting, by=GUARD, now=NOW + timedelta(days=3))) is Topic.EXPIRED
    assert topic(moves.freeze(message(), by="a", now=NOW)) is None
    assert topic(moves.release(message(), by="a", now=NOW)) is None


def test_what_left_is_news_where_it_was_flagged_or_failed() -> None:
    assert topic(settled(message(), Answer.TAKEN)) is None
    assert topic(settled(message(findings=FLAGGED), Answer.TAKEN)) is Topic.SENT_FLAGGED
    assert topic(settled(message(findings=FLAGGED), Answer.LATER)) is None
    assert topic(settled(message(), Answer.NEVER)) is Topic.FAILED


def test_the_guards_own_mail_is_nobodys_news() -> None:
    own = message(sender="", user=None)
    assert topic(settled(own, Answer.NEVER)) is None


def told(held: HeldMessage, topic: Topic = Topic.FLAGGED, **how: Any) -> str:
    return news.content(topic, held, received(), **{"subject": False, "language": "en", **how})


@pytest.mark.parametrize(
    "topic", [one for one in Topic if one.value not in ("rules_not_taken", "trouble", "test")]
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_recipient_and_no_subject_is_told(topic: Topic, language: str) -> None:
    held = message(recipient(SECRET), gated(SECRET.upper()), subject="Layoffs", findings=FLAGGED)
    text = told(held, topic, language=language)
    said = json.loads(text)
    assert SECRET.lower() not in text.lower()
    assert "acquisition" not in text.lower()
    assert "Layoffs" not in text
    assert said["type"] == f"message.{topic.value}"
    assert said["timestamp"] == "2026-11-22T10:00:00Z"
    about = said["data"]["message"]
    assert (about["id"], about["sender"]) == (held.id, "a@corp.example")
    assert (about["recipients"], about["external"], about["checks"]) == (2, 2, ["wrong_namesake"])
    assert held.id in said["text"]
    assert "a@corp.example" in said["text"]


def test_the_subject_is_told_where_the_admin_asked_for_it() -> None:
    said = json.loads(told(message(subject="Layoffs"), subject=True))
    assert said["data"]["message"]["subject"] == "Layoffs"
    assert "Subject: Layoffs" in said["text"]


def test_foreign_words_call_nobody_and_draw_no_link() -> None:
    subject = "<!channel> @everyone [here](http://evil.example) `x`\r\n\u202e" + "y" * 500
    said = json.loads(told(message(subject=subject), subject=True))
    [line] = [one for one in said["text"].split("\n") if one.startswith("Subject:")]
    for bad in ("<", ">", " @everyone", "](", "`", "\u202e", "\r"):
        assert bad not in line
    assert len(line) < 250
    assert news.harmless("a@corp.example") == "a@corp.example"
    assert len(said["text"].split("\n")) == 4


def test_half_a_character_is_json_all_the_same() -> None:
    text = told(message(subject="\udce9", sender="\udce9@x"), subject=True)
    assert text.isascii()
    assert json.loads(text)["data"]["message"]["subject"] == "\udce9"


def test_news_of_the_guard_itself() -> None:
    said = json.loads(news.own_content(Topic.TROUBLE, NOW, ("the disk is full",), "fr"))
    assert said["type"] == "guard.trouble"
    assert said["data"] == {"details": ["the disk is full"]}
    assert said["text"].endswith("\nthe disk is full")
    for language in ("en", "fr"):
        for one in Topic:
            assert news.own_content(one, NOW, (), language)

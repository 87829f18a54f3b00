import email
import email.policy
from dataclasses import replace
from datetime import timedelta, timezone
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.core import notice, notice_mail
from mailguard.core.answer import Answer
from mailguard.core.findings import Finding
from mailguard.core.hold import Action, HeldMessage, NewMessage
from mailguard.core.notice import Links, Question, Speaker
from mailguard.core.notice_mail import Notice
from mailguard.core.states import MessageState, RecipientState
from mailguard.core.told import Told
from tests import making

HOST = "guard.corp.example"
PARIS = timezone(timedelta(hours=1), "CET")
LINKS = Links(show=f"https://{HOST}/m/1", cancel=f"https://{HOST}/c/1")


def speaker(language: str = "en") -> Speaker:
    return Speaker(hostname=HOST, language=language, local=lambda moment: moment.astimezone(PARIS))


def sent(written: Notice) -> tuple[NewMessage, EmailMessage]:
    new = notice_mail.queued(written, id="n0t1ce000000", hostname=HOST, now=making.NOW)
    parsed = email.message_from_bytes(new.content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return new, parsed


def text_of(parsed: EmailMessage, kind: str = "plain") -> str:
    part = parsed.get_body((kind,))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content


class Tags(HTMLParser):
    """What a browser would make of a notice."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def flagged(**changes: Any) -> HeldMessage:
    finding = Finding(
        check="stranger_in_thread",
        recipient="b@client.example",
        parameters={"address": "b@client.example"},
    )
    blind = making.recipient("blind@client.example")
    return making.message(making.recipient(), blind, findings=(finding,), **changes)


def test_a_notice_says_why_until_when_and_what_to_do() -> None:
    _, parsed = sent(notice.held(flagged(), speaker(), LINKS))
    text = text_of(parsed)
    assert "2026-11-22 at 11:05:00 CET" in text
    assert "b@client.example had no part in this conversation before." in text
    assert "rule “external”" in text
    assert "reply" in text and "wait 30m" in text and "drop ADDRESS" in text
    assert f"Stop it: {LINKS.cancel}" in text
    # The real envelope: who is blind to the others is shown to the sender.
    assert "blind@client.example" in text


def test_a_notice_goes_to_the_sender_alone_from_nobody_and_hangs_under_the_mail() -> None:
    new, parsed = sent(notice.held(flagged(), speaker(), LINKS))
    assert new.message.sender == ""
    assert [r.address for r in new.message.recipients] == ["a@corp.example"]
    assert new.message.state is MessageState.QUEUED
    assert parsed["To"] == "a@corp.example"
    assert parsed["Reply-To"] == f"cancel+k7fm2xqp9d3t@{HOST}"
    assert parsed["In-Reply-To"] == parsed["References"] == "<one@corp.example>"
    assert parsed["Message-ID"] == f"<n0t1ce000000@{HOST}>"
    assert parsed["Auto-Submitted"] == "auto-generated"


def test_in_french() -> None:
    _, parsed = sent(notice.held(flagged(), speaker("fr"), LINKS))
    text = text_of(parsed)
    assert parsed["Subject"] == "Retenu : Cost cuts"
    assert parsed["Content-Language"] == "fr"
    assert "Il partira le 2026-11-22 à 11:05:00 CET si vous ne l'arrêtez pas." in text
    assert "attendre 30m" in text


def test_without_a_page_there_are_no_links() -> None:
    _, parsed = sent(notice.held(flagged(), speaker(), Links()))
    assert "http" not in text_of(parsed)
    assert not [attributes for tag, attributes in seen(parsed) if tag == "a"]


def seen(parsed: EmailMessage) -> list[tuple[str, dict[str, str | None]]]:
    tags = Tags()
    tags.feed(text_of(parsed, "html"))
    return tags.tags


def test_what_waits_for_a_person_says_for_whom_and_how_long() -> None:
    waiting = making.in_state(MessageState.APPROVAL)
    _, parsed = sent(notice.held(waiting, speaker(), LINKS))
    assert "the approval of p@corp.example" in text_of(parsed)
    assert "2026-11-24 at 11:00:00 CET" in text_of(parsed)
    _, parsed = sent(notice.held(making.in_state(MessageState.CONFIRM), speaker(), LINKS))
    assert "waits for your yes" in text_of(parsed)


def test_an_approver_sees_only_the_recipients_that_are_shown() -> None:
    waiting = flagged(state=MessageState.APPROVAL, action=Action.APPROVE, approvers=("p@corp.example",))
    question = Question(
        shown=replace(waiting, recipients=waiting.recipients[:1]), copy=b"S: x\r\n\r\n", seal="5ea1"
    )
    new, parsed = sent(notice.asked("p@corp.example", question, speaker(), LINKS))
    assert b"blind@" not in new.content
    assert parsed["Reply-To"] == f"approve+k7fm2xqp9d3t+5ea1@{HOST}"
    assert "a@corp.example wants to send" in text_of(parsed)


def told(answer: Told, message: HeldMessage | None, language: str = "en", *, understood: bool = True) -> str:
    """The text of the answer to a control mail."""
    written = notice.outcome(
        "a@corp.example",
        Answer(told=answer, text="", message=message),
        speaker(language),
        understood=understood,
    )
    return text_of(sent(written)[1])


def test_a_cancel_reminds_of_the_sent_folder() -> None:
    cancelled = making.in_state(MessageState.CANCELLED)
    text = told(Told.DONE, cancelled)
    assert "It is stopped: your message will not go to b@client.example." in text
    assert "Sent folder" in text
    assert "Sent folder" not in told(Told.TOO_LATE, making.in_state(MessageState.SENT))


@pytest.mark.parametrize(
    ("answer", "message", "english", "french"),
    [
        (Told.NO_SUCH_MESSAGE, None, "There is no message of yours", "Il n'y a pas de message de vous"),
        (Told.NOT_YOURS, None, "There is no message of yours", "Il n'y a pas de message de vous"),
        (Told.TRY_LATER, None, "Please try again", "Réessayez"),
        (
            Told.TOO_LATE,
            making.in_state(MessageState.SENT),
            "it left to b@client.example on 2026-11-22 at 11:00:00 CET",
            "il est parti à b@client.example le 2026-11-22 à 11:00:00 CET",
        ),
        (Told.DONE, making.message(), "waits until 2026-11-22 at 11:05:00", "attend jusqu'au 2026-11-22"),
        (Told.DONE, making.in_state(MessageState.QUEUED), "on its way out now", "part maintenant"),
        (Told.REFUSED, making.in_state(MessageState.FROZEN), "not possible now", "pas possible maintenant"),
        (Told.DONE, making.in_state(MessageState.FROZEN), "Your message: frozen", "Votre message : gelé"),
    ],
)
def test_the_answer_tells_the_truth(
    answer: Told, message: HeldMessage | None, english: str, french: str
) -> None:
    assert english in told(answer, message)
    assert french in told(answer, message, "fr")


def test_what_was_not_understood_is_answered_with_the_commands() -> None:
    text = told(Told.DONE, making.in_state(MessageState.CANCELLED), understood=False)
    assert "could not be read" in text and "wait 30m" in text


@pytest.mark.parametrize(("count", "listed"), [(0, 0), (3, 3), (25, 20)])
def test_the_list(count: int, listed: int) -> None:
    messages = [making.message(id=f"k7fm2xqp9d{number:02}") for number in range(count)]
    _, parsed = sent(notice.listing("a@corp.example", messages, speaker()))
    assert text_of(parsed).count("k7fm2xqp9d") == listed
    assert ("and 5 more" in text_of(parsed)) == (count == 25)


def test_a_dropped_recipient_is_told_as_such() -> None:
    dropped = making.message(
        making.recipient(), making.recipient("x@y.example", state=RecipientState.DROPPED)
    )
    assert "x@y.example (dropped)" in told(Told.DONE, dropped)
    assert "It will not go to x@y.example." in told(Told.DONE, dropped)


ours = {
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "Content-Language", "MIME-Version", "Content-Type",
}  # fmt: skip
hostile = st.text() | st.sampled_from(
    [
        "x\r\nBcc: evil@x.example",
        "x\n\n<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "\x00\x1b[31m\u202egpj.exe",
        "--=_n0t1ce000000--",
        "é" * 300,
    ]
)


@settings(deadline=None)
@given(subject=hostile, address=hostile, message_id=hostile, rule=hostile)
def test_nothing_that_others_wrote_adds_a_header_a_part_or_a_tag(
    subject: str, address: str, message_id: str, rule: str
) -> None:
    message = making.message(making.recipient(address), subject=subject, message_id=message_id, rules=(rule,))
    new, parsed = sent(notice.held(message, speaker(), LINKS))
    assert set(parsed.keys()) <= ours
    assert len(parsed.keys()) == len(set(parsed.keys()))
    assert [part.get_content_type() for part in parsed.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert {tag for tag, _ in seen(parsed)} <= {
        "html", "head", "meta", "title", "body", "p", "strong", "ul", "li", "table", "tr", "th", "td", "a",
    }  # fmt: skip
    assert [attributes["href"] for tag, attributes in seen(parsed) if tag == "a"] == [
        LINKS.cancel,
        LINKS.show,
    ]
    assert b"\x00" not in new.content and b"\x1b" not in new.content
    assert max(map(len, new.content.split(b"\r\n"))) <= 998

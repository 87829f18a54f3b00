import email
import email.policy
from email.message import EmailMessage

from mailguard.core import notice_mail
from mailguard.core.notice_mail import Button, Items, Notice, Pairs, Paragraph
from mailguard.core.states import MessageState
from tests import making

BLOCKS = (
    Paragraph(text="It is held.", strong=True),
    Items(lines=("one", "two")),
    Pairs(rows=(("Subject", "Cost <cuts>"), ("Id", "k7fm"))),
    Button(label="Stop it", url="https://guard.corp.example/c?a=1&b=2"),
)


def sent(written: Notice) -> EmailMessage:
    new = notice_mail.queued(written, id="n0t1ce000000", hostname="guard.corp.example", now=making.NOW)
    assert new.message.state is MessageState.QUEUED
    assert new.message.due_at == making.NOW
    parsed = email.message_from_bytes(new.content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def text_of(parsed: EmailMessage) -> str:
    part = parsed.get_body(("plain",))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content


def test_the_same_is_said_in_plain_text_and_in_html() -> None:
    assert notice_mail.plain(BLOCKS) == (
        "It is held.\n\n  - one\n  - two\n\n  Subject  Cost <cuts>\n  Id       k7fm\n\n"
        "Stop it: https://guard.corp.example/c?a=1&b=2\n"
    )
    written = Notice(to="a@corp.example", subject="Held", blocks=BLOCKS, language="fr")
    shown = notice_mail.html(written)
    assert "<strong>It is held.</strong>" in shown
    assert "<li>one</li><li>two</li>" in shown
    assert "Cost &lt;cuts&gt;" in shown
    assert 'href="https://guard.corp.example/c?a=1&amp;b=2"' in shown
    assert '<html lang="fr">' in shown


def test_an_address_beyond_ascii_asks_for_smtputf8() -> None:
    written = Notice(to="é@corp.example", subject="Held", blocks=BLOCKS, language="en")
    new = notice_mail.queued(written, id="n0t1ce000000", hostname="guard.corp.example", now=making.NOW)
    assert new.message.parameters.smtputf8


def test_mail_can_be_given_back_as_an_attachment() -> None:
    original = b"Subject: one\r\n\r\nhello\r\n"
    written = Notice(
        to="a@corp.example",
        subject="Yours",
        blocks=(notice_mail.Paragraph(text="Here it is."),),
        language="en",
        attached=(original,),
    )
    parsed = sent(written)
    assert text_of(parsed).strip() == "Here it is."
    (attached,) = parsed.iter_attachments()
    assert attached.get_content_type() == "message/rfc822"
    assert attached.get_content()["Subject"] == "one"

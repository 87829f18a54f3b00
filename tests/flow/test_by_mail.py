import email
import email.policy
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailguard.core.account import Account
from mailguard.core.actor import ADMIN
from mailguard.core.preference import Preference
from mailguard.core.reply import Reply
from mailguard.core.states import MessageState
from mailguard.edge.bodies import BodyReader
from mailguard.flow.by_mail import ByMail
from mailguard.flow.edit_again import EditAgain
from tests.flow.parts import Parts, opened, submission
from tests.flow.test_edit_again import Mailboxes

HOST = "guard.corp.example"
ANNE, BOB = "anne@corp.example", "bob@corp.example"


@dataclass
class Desk:
    """Anne and Bob write to the guard, and read its answers."""

    parts: Parts
    by_mail: ByMail
    mailboxes: Mailboxes = field(default_factory=Mailboxes)

    async def write(self, to: str, text: str = "", *, header: str = "", **who: Any) -> Reply:
        """A control mail."""
        who = {"user": "anne", "sender": ANNE, **who}
        content = f"From: {who['sender']}\nTo: {to}\nSubject: Re: Held\n{header}\n{text}\n"
        raw = content.replace("\n", "\r\n").encode()
        return await self.by_mail.accept(submission(*to.split(","), now=self.parts.clock, content=raw, **who))

    async def state(self, message_id: str) -> MessageState:
        """How the message stands."""
        return (await self.parts.store.find(message_id)).state

    async def answer(self) -> EmailMessage:
        """The newest mail of the guard's own that waits to leave."""
        claimed = [
            c for c in await self.parts.store.claim(self.parts.clock.now(), 100) if not c.message.sender
        ]
        parsed = email.message_from_bytes(claimed[-1].content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@pytest.fixture
async def desk(tmp_path: Path) -> Any:
    """The whole queue, with the door for mail to the guard in front."""
    bodies = BodyReader()
    async with opened(tmp_path) as parts:
        made = Desk(parts=parts, by_mail=None)  # type: ignore[arg-type]

        numbers = iter(range(1000))
        made.by_mail = ByMail(
            then=parts.receive.accept,
            decide=parts.decide,
            history=parts.history,
            store=parts.store,
            bodies=bodies,
            people=parts.writing.people,
            speaking=parts.writing.speaking,
            clock=parts.clock,
            log=parts.log,
            ids=lambda: f"z{next(numbers):011d}",
            hostname=HOST,
            wake=lambda _: None,
            edit_again=EditAgain(
                decide=parts.decide,
                store=parts.store,
                drafts=made.mailboxes,
                by_address=False,
                log=parts.log,
                language="en",
            ),
        )
        yield made
    bodies.close()


def text_of(parsed: EmailMessage) -> str:
    part = parsed.get_body(("plain",))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content


async def test_other_mail_goes_its_way(desk: Desk) -> None:
    reply = await desk.write("client@customer.example", "hello")
    assert reply.text.startswith("Held as")


async def test_a_plain_reply_cancels_and_is_answered(desk: Desk) -> None:
    held = await desk.parts.id_of("client@customer.example")
    reply = await desk.write(f"cancel+{held}@{HOST}", "\n> quoted text\n> send\n")
    assert (reply.code, reply.status) == (250, "2.0.0")
    assert await desk.state(held) is MessageState.CANCELLED
    answer = await desk.answer()
    assert answer["To"] == ANNE
    assert "will not go to client@customer.example" in text_of(answer)
    assert "Sent folder" in text_of(answer)


async def test_send(desk: Desk) -> None:
    held = await desk.parts.id_of("client@customer.example")
    await desk.write(f"cancel+{held}@{HOST}", "envoyer\n")
    assert await desk.state(held) is MessageState.QUEUED


async def test_send_is_the_senders_yes(desk: Desk) -> None:
    held = await desk.parts.id_of("one@big.example")
    assert await desk.state(held) is MessageState.CONFIRM
    await desk.write(f"send+{held}@{HOST}")
    assert await desk.state(held) is MessageState.QUEUED


async def test_wait(desk: Desk) -> None:
    held = await desk.parts.id_of("client@customer.example")
    before = (await desk.parts.store.find(held)).release_at
    await desk.write(f"cancel+{held}@{HOST}", "wait 30m")
    after = (await desk.parts.store.find(held)).release_at
    assert before is not None and after == before + timedelta(minutes=30)


async def test_drop_one_and_the_rest_goes_on(desk: Desk) -> None:
    held = await desk.parts.id_of("client@customer.example", "boss@corp.example")
    await desk.write(f"cancel+{held}@{HOST}", "retirer client@customer.example")
    assert await desk.state(held) is MessageState.HELD
    assert "It will not go to client@customer.example." in text_of(await desk.answer())


async def test_the_list(desk: Desk) -> None:
    held = await desk.parts.id_of("client@customer.example")
    other = await desk.parts.id_of("x@customer.example", user="bob", sender=BOB)
    await desk.write(f"queue@{HOST}")
    text = text_of(await desk.answer())
    assert held in text and other not in text


async def test_nobody_else_can_and_learns_nothing(desk: Desk) -> None:
    held = await desk.parts.id_of("client@customer.example")
    reply = await desk.write(f"cancel+{held}@{HOST}", user="bob", sender=BOB)
    assert await desk.state(held) is MessageState.HELD
    answer = await desk.answer()
    assert "There is no message of yours" in text_of(answer)
    assert "customer" not in answer.as_string() and "customer" not in reply.text


async def test_from_a_trusted_network_the_envelope_sender_is_the_person(desk: Desk) -> None:
    held = await desk.parts.id_of("client@customer.example", user=None)
    await desk.write(f"cancel+{held}@{HOST}", user=None, sender="eve@corp.example")
    assert await desk.state(held) is MessageState.HELD
    await desk.write(f"cancel+{held}@{HOST}", user=None, sender="Anne@CORP.example")
    assert await desk.state(held) is MessageState.CANCELLED


@pytest.mark.parametrize(
    "who",
    [
        {"header": "Auto-Submitted: auto-replied\n"},
        {"header": "Precedence: auto_reply\n"},
        {"header": "Content-Type: multipart/report; report-type=disposition-notification; boundary=x\n"},
        {"sender": ""},
    ],
    ids=["out of office", "another one", "a receipt", "null sender"],
)
async def test_a_program_cancels_nothing(desk: Desk, who: dict[str, str]) -> None:
    held = await desk.parts.id_of("client@customer.example")
    reply = await desk.write(f"cancel+{held}@{HOST}", **who)
    assert reply.accepted
    assert await desk.state(held) is MessageState.HELD


async def test_a_colleague_stops_what_left_their_mailbox(desk: Desk) -> None:
    logins = desk.parts.writing.logins.known
    for login in ("anne", "carol"):
        addresses = (f"{login}@corp.example", "info@corp.example")
        logins[login] = Account(login=login, addresses=addresses)
    held = await desk.parts.id_of("client@customer.example", sender="info@corp.example")
    own = await desk.parts.id_of("client@customer.example")
    for message_id in (held, own):
        await desk.write(f"cancel+{message_id}@{HOST}", user="carol", sender="carol@corp.example")
    assert await desk.state(held) is MessageState.CANCELLED
    assert await desk.state(own) is MessageState.HELD


async def test_too_late_is_said(desk: Desk) -> None:
    sent = await desk.parts.id_of("boss@corp.example")
    await desk.parts.tick()
    assert await desk.state(sent) is MessageState.SENT
    await desk.write(f"cancel+{sent}@{HOST}")
    text = text_of(await desk.answer())
    assert "Too late:" in text and "it left to boss@corp.example on" in text


async def test_it_goes_to_others_too(desk: Desk) -> None:
    """A reply to all: the guard acts, and the others get their mail without the guard among them."""
    held = await desk.parts.id_of("client@customer.example")
    reply = await desk.write(f"cancel+{held}@{HOST},boss@corp.example")
    assert reply.accepted
    assert await desk.state(held) is MessageState.CANCELLED
    waiting = [one for one in await desk.parts.history.listing(ADMIN) if one.sender]
    assert [[r.address for r in one.recipients] for one in waiting] == [["boss@corp.example"]]


async def test_what_the_others_are_refused_is_refused_as_a_whole(desk: Desk) -> None:
    held = await desk.parts.id_of("client@customer.example")
    reply = await desk.write(f"cancel+{held}@{HOST},x@rival.example")
    assert reply.code == 550
    assert await desk.state(held) is MessageState.HELD


async def test_an_approver_decides(desk: Desk) -> None:
    held = await desk.parts.id_of("x@newspaper.example")
    assert await desk.state(held) is MessageState.APPROVAL
    await desk.write(f"approve+{held}@{HOST}", "approve")
    assert await desk.state(held) is MessageState.APPROVAL, "nobody approves their own"
    await desk.write(f"approve+{held}@{HOST}", "well", user="bob", sender=BOB)
    assert await desk.state(held) is MessageState.APPROVAL, "nobody said yes"
    await desk.write(f"approve+{held}@{HOST}", "approve", user="bob", sender=BOB)
    assert await desk.state(held) is MessageState.HELD, "its delay still runs"


async def test_a_yes_names_what_was_shown(desk: Desk) -> None:
    content = b"From: anne@corp.example\r\nTo: x@newspaper.example\r\nSubject: Results\r\n\r\nSee.\r\n"
    held = await desk.parts.id_of("x@newspaper.example", content=content)
    await desk.write(f"approve+{held}+{'0' * 32}@{HOST}", "approve", user="bob", sender=BOB)
    assert await desk.state(held) is MessageState.APPROVAL
    assert "not the message that you were shown" in text_of(await desk.answer())
    seal = await desk.parts.decide.seal(held)
    await desk.write(f"Approve+{held.upper()}+{seal}@{HOST}", "OK approve", user="bob", sender=BOB)
    assert await desk.state(held) is MessageState.APPROVAL
    assert "so nothing was decided" in text_of(await desk.answer())
    await desk.write(f"Approve+{held.upper()}+{seal}@{HOST}", "Approved, thanks", user="bob", sender=BOB)
    assert await desk.state(held) is MessageState.HELD
    text = text_of(await desk.answer())
    assert "You have approved this message." in text and "It leaves on 2026-11-22 at 10:05:00 UTC." in text


async def test_a_decision_takes_a_login(desk: Desk) -> None:
    """In a trusted network anybody can write in the approver's name: the sender, too."""
    held = await desk.parts.id_of("x@newspaper.example")
    for text in ("approve", "reject No"):
        await desk.write(f"approve+{held}@{HOST}", text, user=None, sender=BOB)
        answer = text_of(await desk.answer())
        assert "you have to be logged in" in answer and "newspaper" not in answer
    assert await desk.state(held) is MessageState.APPROVAL


async def test_nobody_else_decides_and_learns_nothing(desk: Desk) -> None:
    held = await desk.parts.id_of("x@newspaper.example")
    for sender, user in ((ANNE, "anne"), ("dave@corp.example", "dave")):
        await desk.write(f"approve+{held}@{HOST}", "approve", user=user, sender=sender)
        answer = text_of(await desk.answer())
        if user == "dave":
            assert "that you may decide about" in answer and "newspaper" not in answer
    assert await desk.state(held) is MessageState.APPROVAL


async def test_a_recipient_that_is_none_is_not_dropped_and_it_is_said(desk: Desk) -> None:
    held = await desk.parts.id_of("client@customer.example", "boss@corp.example")
    await desk.write(f"cancel+{held}@{HOST}", "drop clent@customer.example")
    assert await desk.state(held) is MessageState.HELD
    text = text_of(await desk.answer())
    assert "no such recipient" in text and "client@customer.example, boss@corp.example" in text


async def test_what_could_not_be_read_is_said_to_be_a_cancel_and_what_became_of_it(desk: Desk) -> None:
    sent = await desk.parts.id_of("boss@corp.example")
    await desk.parts.tick()
    await desk.write(f"cancel+{sent}@{HOST}", "Please do whatever you like with it")
    text = text_of(await desk.answer())
    assert "Too late:" in text and "it was taken as: stop" in text and "was stopped" not in text


async def test_an_approver_says_no_with_a_reason(desk: Desk) -> None:
    held = await desk.parts.id_of("x@newspaper.example")
    await desk.write(f"approve+{held}@{HOST}", "reject Not before Monday", user="bob", sender=BOB)
    assert await desk.state(held) is MessageState.REJECTED


async def test_an_approver_is_not_told_of_blind_recipients(desk: Desk) -> None:
    content = b"From: anne@corp.example\r\nTo: x@newspaper.example\r\nSubject: Results\r\n\r\nSee.\r\n"
    held = await desk.parts.id_of("x@newspaper.example", "blind@customer.example", content=content)
    reply = await desk.write(f"approve+{held}@{HOST}", "reject No", user="bob", sender=BOB)
    assert "blind" not in reply.text
    answers = [c for c in await desk.parts.store.claim(desk.parts.clock.now(), 100) if not c.message.sender]
    to_bob = [c.content for c in answers if c.message.recipients[0].address == BOB]
    assert len(to_bob) == 1
    assert b"x@newspaper" in to_bob[0] and b"blind" not in to_bob[0]


async def test_in_french(desk: Desk) -> None:
    await desk.parts.preferences.set("anne", Preference(language="fr"))
    held = await desk.parts.id_of("client@customer.example")
    await desk.write(f"cancel+{held}@{HOST}", "Non !")
    assert "votre message n'ira pas à client@customer.example" in text_of(await desk.answer())


def attached(answer: EmailMessage) -> list[EmailMessage]:
    """The messages that come with an answer."""
    parts = [part for part in answer.walk() if part.get_content_type() == "message/rfc822"]
    return [part.get_content() for part in parts]


async def test_what_is_stopped_comes_back_with_the_answer(desk: Desk) -> None:
    held = await desk.parts.id_of("client@customer.example", "secret@customer.example")
    await desk.write(f"cancel+{held}@{HOST}")
    answer = await desk.answer()
    [draft] = attached(answer)
    assert (draft["X-Unsent"], draft["Bcc"]) == ("1", "secret@customer.example")
    assert draft["Message-ID"] is None
    assert draft.get_content().startswith("Two positions less")
    assert "attached as a draft" in text_of(answer)


@pytest.mark.parametrize(("language", "word"), [("en", "edit"), ("fr", "Modifier, svp")])
async def test_the_word_for_writing_it_anew_puts_it_into_the_folder(
    desk: Desk, language: str, word: str
) -> None:
    await desk.parts.preferences.set("anne", Preference(language=language))
    held = await desk.parts.id_of("client@customer.example")
    await desk.write(f"cancel+{held}@{HOST}", word)
    assert await desk.state(held) is MessageState.CANCELLED
    [(login, _)] = desk.mailboxes.drafts
    answer = await desk.answer()
    assert login == "anne"
    assert attached(answer) == []
    assert "Drafts" in text_of(answer)
    assert ("Sent folder" if language == "en" else "messages envoyés") in text_of(answer)


async def test_a_mailbox_that_does_not_take_it_loses_nothing(desk: Desk) -> None:
    desk.mailboxes.fault = "the mail server did not answer in time"
    held = await desk.parts.id_of("client@customer.example")
    await desk.write(f"cancel+{held}@{HOST}", "edit")
    answer = await desk.answer()
    assert len(attached(answer)) == 1
    assert "did not answer in time" in text_of(answer)


async def test_what_is_too_large_for_mail_is_said_to_be(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailguard.flow.by_mail.MOST_ATTACHED", 100)
    held = await desk.parts.id_of("client@customer.example")
    await desk.write(f"cancel+{held}@{HOST}")
    answer = await desk.answer()
    assert attached(answer) == []
    assert "too large" in text_of(answer)


async def test_nobody_elses_comes_back(desk: Desk) -> None:
    held = await desk.parts.id_of("client@customer.example")
    for word in ("", "edit"):
        await desk.write(f"cancel+{held}@{HOST}", word, user="bob", sender=BOB)
        assert attached(await desk.answer()) == []
    assert await desk.state(held) is MessageState.HELD
    # A dropped recipient stops a part of it: the rest goes on, and nothing comes back.
    both = await desk.parts.id_of("client@customer.example", "other@customer.example")
    await desk.write(f"cancel+{both}@{HOST}", "drop other@customer.example")
    assert attached(await desk.answer()) == []

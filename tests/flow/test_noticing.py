"""Who is written to, about what, and who is not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailguard.core.account import Account
from mailguard.core.actor import ADMIN, Actor
from mailguard.core.hold import Action
from mailguard.core.policy import Notify
from mailguard.core.preference import Preference
from mailguard.core.states import MessageState
from mailguard.edge.bodies import BodyReader
from mailguard.edge.config import parse_rules
from tests.flow.parts import ANNE, BOB, RULES, Parts, opened
from tests.flow.reading import notices, text_of

CLIENT = "client@customer.example"
FORGOTTEN = (
    b"From: anne@corp.example\r\nTo: client@customer.example\r\nMessage-ID: <one@corp.example>\r\n"
    b"Subject: Figures\r\n\r\nPlease find attached the figures.\r\n"
)
CHECKED = RULES + '\n[checks]\nforgotten_attachment = { action = "delay", delay = "10m" }\n'


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    """Everything joined, with notices, and with an eye on the inside."""
    bodies = BodyReader()
    async with opened(tmp_path, bodies=bodies, notices=True) as joined:
        joined.rules.current = parse_rules(CHECKED, "rules.toml")
        yield joined
    bodies.close()


async def told(parts: Parts) -> list[str]:
    return [to for to, _ in await notices(parts)]


async def test_what_only_the_rules_hold_is_not_worth_a_mail(parts: Parts) -> None:
    await parts.id_of(CLIENT)
    assert await told(parts) == []


async def test_what_a_check_holds_longer_is(parts: Parts) -> None:
    held = await parts.id_of(CLIENT, "boss@corp.example", content=FORGOTTEN)
    [(to, written)] = await notices(parts)
    assert to == "anne@corp.example"
    assert written["Reply-To"] == f"cancel+{held}@guard.corp.example"
    assert written["In-Reply-To"] == "<one@corp.example>"
    text = text_of(written)
    assert "It leaves on 2026-11-22 at 10:10:00 UTC unless you stop it." in text
    assert "The text speaks of something attached, but nothing is." in text
    # Who it really goes to, the blind ones too: to the sender alone.
    assert "client@customer.example, boss@corp.example" in text
    assert "drop ADDRESS" in text


async def test_what_waits_for_the_senders_yes_is(parts: Parts) -> None:
    await parts.id_of("one@big.example")
    [(to, written)] = await notices(parts)
    assert to == "anne@corp.example"
    text = text_of(written)
    assert "waits for your yes" in text and "send: yes, it may leave" in text
    # Only what is possible is offered.
    assert "wait 30m" not in text and "drop ADDRESS" not in text


@pytest.mark.parametrize(
    ("policy", "own", "count"),
    [
        ("always", None, 1),
        ("never", None, 0),
        ("flagged", Notify.ALWAYS, 1),
        ("always", Notify.NEVER, 0),
        ("never", Notify.ALWAYS, 1),
        ("always", Notify.FLAGGED, 0),
    ],
)
async def test_the_senders_wish_goes_before_the_installations(
    parts: Parts, policy: str, own: Notify | None, count: int
) -> None:
    parts.rules.current = parse_rules(f'notify = "{policy}"\n{RULES}', "rules.toml")
    await parts.preferences.set("anne", Preference(notify=own))
    await parts.id_of(CLIENT)
    assert len(await told(parts)) == count


async def test_nobody_is_written_to_about_what_leaves_at_once(parts: Parts) -> None:
    parts.rules.current = parse_rules(f'notify = "always"\n{RULES}', "rules.toml")
    await parts.id_of("boss@corp.example")
    assert await told(parts) == []


@pytest.mark.parametrize(
    "header", ["Auto-Submitted: auto-generated", "List-Id: <x.corp.example>", "Precedence: bulk"]
)
async def test_no_program_is_written_to(parts: Parts, header: str) -> None:
    content = FORGOTTEN.replace(b"Subject:", f"{header}\r\nSubject:".encode())
    await parts.id_of(CLIENT, content=content)
    assert await told(parts) == []


async def test_the_null_sender_is_not_written_to(parts: Parts) -> None:
    await parts.id_of(CLIENT, sender="", content=FORGOTTEN)
    assert await told(parts) == []


async def test_a_stranger_whose_mail_passes_through_is_told_nothing(parts: Parts) -> None:
    await parts.id_of(CLIENT, sender="x@elsewhere.example", user=None, content=FORGOTTEN)
    assert await told(parts) == []
    await parts.id_of(CLIENT, sender="eve@corp.example", user=None, content=FORGOTTEN)
    assert await told(parts) == ["eve@corp.example"]


async def test_a_message_that_is_handed_in_twice_has_one_notice(parts: Parts) -> None:
    for _ in range(2):
        await parts.submit(CLIENT, content=FORGOTTEN)
    assert await told(parts) == ["anne@corp.example"]


async def test_a_notice_that_cannot_be_made_is_in_the_way_of_no_mail(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(person: str) -> Preference:
        raise RuntimeError(person)

    monkeypatch.setattr(parts.preferences, "of", broken)
    held = await parts.id_of(CLIENT, content=FORGOTTEN)
    assert (await parts.store.find(held)).state is MessageState.HELD
    assert "notice_fault" in parts.log.names


async def test_approvers_are_asked_and_the_sender_is_told_where_it_is(parts: Parts) -> None:
    content = b"From: anne@corp.example\r\nTo: x@newspaper.example\r\nSubject: Results\r\n\r\nSoon.\r\n"
    held = await parts.id_of("x@newspaper.example", "blind@customer.example", content=content)
    asked, own = await notices(parts)
    assert (asked[0], own[0]) == ("bob@corp.example", "anne@corp.example")
    assert "approval of bob@corp.example" in text_of(own[1])
    assert "To stop it, just reply" in text_of(own[1])
    assert "drop ADDRESS" in text_of(own[1]) and "send:" not in text_of(own[1])
    assert "blind@customer.example" in text_of(own[1])
    assert "blind" not in asked[1].as_string()
    [copy] = [part for part in asked[1].walk() if part.get_content_type() == "message/rfc822"]
    assert "Soon." in copy.as_string()
    assert str(asked[1]["Reply-To"]).startswith(f"approve+{held}+")
    assert "on 2026-11-24 at 10:00:00 UTC" in text_of(asked[1])


async def test_a_large_message_is_not_attached_to_the_question(parts: Parts) -> None:
    content = b"From: anne@corp.example\r\nTo: x@newspaper.example\r\n\r\n" + b"x" * 70 * 16000 + b"\r\n"
    await parts.id_of("x@newspaper.example", content=content)
    asked, _ = await notices(parts)
    assert "too large to be attached" in text_of(asked[1])
    assert len(asked[1].as_bytes()) < 20_000


async def test_nobody_is_asked_about_their_own(parts: Parts) -> None:
    rules = RULES.replace(
        'approvers = ["bob@corp.example"]',
        'approvers = ["anne@corp.example"]\ndeputies = ["bob@corp.example"]',
    )
    parts.rules.current = parse_rules(rules, "rules.toml")
    await parts.id_of("x@newspaper.example")
    # The only approver wrote it, so the deputy is asked at once.
    assert await told(parts) == ["bob@corp.example", "anne@corp.example"]


async def test_an_approvers_language_is_their_own(parts: Parts) -> None:
    await parts.preferences.set("bob", Preference(language="fr"))
    await parts.id_of("x@newspaper.example")
    asked, own = await notices(parts)
    assert "qui demande votre approbation" in text_of(asked[1])
    assert "waits for the approval" in text_of(own[1])


async def test_the_sender_hears_what_an_admin_did(parts: Parts) -> None:
    held = await parts.id_of(CLIENT)
    await parts.decide.cancel(held, ADMIN)
    [(to, written)] = await notices(parts)
    assert to == "anne@corp.example"
    assert "your message will not go to client@customer.example" in text_of(written)
    assert "This was done by admin." in text_of(written)
    await parts.decide.restore(held, ANNE)
    assert await told(parts) == []


async def test_the_mailbox_hears_what_a_colleague_did(parts: Parts) -> None:
    shared = frozenset({"info@corp.example"})
    carol = Actor(
        name="carol", account=Account(login="carol", addresses=("info@corp.example",)), shared=shared
    )
    held = await parts.id_of(CLIENT, sender="info@corp.example")
    await parts.decide.cancel(held, carol)
    [(to, written)] = await notices(parts)
    assert to == "info@corp.example"
    assert "This was done by carol." in text_of(written)


async def test_the_sender_hears_of_a_yes_and_gets_a_no_back_with_the_reason(parts: Parts) -> None:
    held = await parts.id_of("x@newspaper.example")
    await notices(parts)
    await parts.decide.approve(held, BOB)
    [(to, written)] = await notices(parts)
    assert to == "anne@corp.example" and "bob has approved your message." in text_of(written)
    other = await parts.id_of("x@newspaper.example")
    await notices(parts)
    await parts.decide.reject(other, BOB, "Not before Monday")
    [(to, bounce)] = await notices(parts)
    assert to == "anne@corp.example" and "Not before Monday" in bounce.as_string()


async def test_a_step_that_was_too_late_tells_nobody(parts: Parts) -> None:
    held = await parts.id_of(CLIENT)
    await parts.decide.cancel(held, ANNE)
    await parts.decide.cancel(held, ADMIN)
    assert await told(parts) == []


async def test_never_is_never(parts: Parts) -> None:
    await parts.preferences.set("anne", Preference(notify=Notify.NEVER))
    held = await parts.id_of("one@big.example")
    assert (await parts.store.find(held)).gate is Action.CONFIRM
    await parts.decide.release(held, ADMIN)
    assert "anne@corp.example" not in await told(parts)


async def test_no_notice_is_about_a_notice(parts: Parts) -> None:
    await parts.id_of(CLIENT, content=FORGOTTEN)
    [claimed] = await parts.store.claim(parts.clock.now(), 10)
    # An upstream that hands it back to the guard.
    await parts.submit("client@customer.example", sender="", user=None, content=claimed.content)
    assert await told(parts) == []

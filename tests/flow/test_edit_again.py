"""A stopped message is had back as a draft, by those who may stop it, and nothing is lost where it cannot be
put where it should."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailguard.core.actor import ADMIN, Actor
from mailguard.core.errors import NotPlaced
from mailguard.core.states import MessageState
from mailguard.flow.edit_again import EditAgain
from tests.flow.parts import ANNE, BOB, Parts, opened


@dataclass
class Mailboxes:
    """ports.Drafts: keeps what is put into them, or refuses it."""

    fault: str = ""
    drafts: list[tuple[str, bytes]] = field(default_factory=list)

    async def put(self, login: str, content: bytes) -> str:
        if self.fault:
            raise NotPlaced(self.fault)
        self.drafts.append((login, content))
        return "Drafts"


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    async with opened(tmp_path) as made:
        yield made


def editing(parts: Parts, drafts: Mailboxes | None = None, *, by_address: bool = False) -> EditAgain:
    return EditAgain(
        decide=parts.decide,
        store=parts.store,
        drafts=drafts,
        by_address=by_address,
        log=parts.log,
        language="en",
    )


async def asked(edit: EditAgain, id: str, actor: Actor = ANNE, **more: Any) -> dict[str, Any]:
    return await edit.verb({"verb": "edit", "id": id, **more}, actor)


async def test_it_is_stopped_and_comes_back_with_its_hidden_recipients(parts: Parts) -> None:
    held = await parts.id_of("client@customer.example", "secret@customer.example")
    answer = await asked(editing(parts), held)
    assert answer["told"] == "done"
    assert (await parts.store.find(held)).state is MessageState.CANCELLED
    content = base64.b64decode(answer["content"])
    assert content.startswith(b"X-Unsent: 1\r\nBcc: secret@customer.example\r\nFrom: Anne")
    assert b"boss@corp.example" not in content
    assert b"Message-ID" not in content
    assert "will not go to client@customer.example, secret@customer.example" in answer["text"]
    assert answer["text"].endswith("the copy in the Sent folder of the mail program stays there")
    # And once more: it is cancelled already.
    assert (await asked(editing(parts), held))["content"] == answer["content"]


@pytest.mark.parametrize(("actor", "told"), [(BOB, "not_yours"), (ANNE, "done"), (ADMIN, "done")])
async def test_only_who_may_stop_it_has_it_back(parts: Parts, actor: Actor, told: str) -> None:
    # Bob is its approver: Bcc is none of his business.
    held = await parts.id_of("paper@newspaper.example", "secret@customer.example")
    answer = await asked(editing(parts), held, actor)
    assert answer["told"] == told
    assert ("content" in answer) is (told == "done")
    assert (told == "done") is ((await parts.store.find(held)).state is MessageState.CANCELLED)


async def test_it_is_put_into_its_senders_folder(parts: Parts) -> None:
    boxes = Mailboxes()
    held = await parts.id_of("client@customer.example")
    answer = await asked(editing(parts, boxes), held, ADMIN, drafts=True)
    assert (answer["told"], answer["folder"]) == ("done", "Drafts")
    assert "content" not in answer
    [(login, content)] = boxes.drafts
    assert login == "anne"
    assert content.startswith(b"X-Unsent: 1\r\nFrom: Anne")
    await asked(editing(parts, boxes, by_address=True), held, drafts=True)
    assert boxes.drafts[1] == ("anne@corp.example", content)


async def test_what_cannot_be_put_there_comes_all_the_same(parts: Parts) -> None:
    held = await parts.id_of("client@customer.example")
    edit = editing(parts, Mailboxes(fault="the mail server did not answer in time"))
    answer = await asked(edit, held, drafts=True)
    assert (answer["told"], answer["fault"]) == ("done", "the mail server did not answer in time")
    assert base64.b64decode(answer["content"]).startswith(b"X-Unsent: 1")
    assert "did not answer in time" in answer["text"]
    assert "draft_not_placed" in parts.log.names


async def test_without_a_login_nothing_is_put_into_a_mailbox(parts: Parts) -> None:
    boxes = Mailboxes()
    held = await parts.id_of("client@customer.example", user=None)
    answer = await asked(editing(parts, boxes, by_address=True), held, ADMIN, drafts=True)
    assert boxes.drafts == []
    assert answer["fault"] == "it was handed in without a login"
    assert answer["content"]


async def test_what_has_left_or_went_back_is_not_had_back(parts: Parts) -> None:
    gone = await parts.id_of("client@customer.example")
    await parts.decide.release(gone, ANNE)
    await parts.tick()
    answer = await asked(editing(parts), gone)
    assert answer["told"] == "too_late"
    assert "content" not in answer
    refused = await parts.id_of("paper@newspaper.example")
    await parts.decide.reject(refused, BOB, "no")
    answer = await asked(editing(parts), refused)
    assert (answer["told"], answer["text"]) == (
        "too_late",
        f"{refused} is rejected: it came back to its sender whole, by mail",
    )
    assert (await asked(editing(parts), "zzzz"))["told"] == "no_such_message"


async def test_bytes_that_were_forgotten_are_told_of(parts: Parts) -> None:
    held = await parts.id_of("client@customer.example")
    await parts.decide.cancel(held, ANNE)
    far = parts.clock.now() + timedelta(days=30)
    await parts.store.forget(parts.clock.now() - timedelta(days=1), far, 10)
    answer = await asked(editing(parts), held)
    assert (answer["told"], answer["text"]) == ("too_late", f"{held}: its bytes are gone")


async def test_the_draft_of_what_is_stopped_is_had_again_and_changes_nothing(parts: Parts) -> None:
    held = await parts.id_of("client@customer.example")
    edit = editing(parts, Mailboxes())
    asked_for = {"verb": "draft", "id": held}
    refused = await edit.stopped(asked_for, ANNE)
    assert refused["told"] == "refused"
    assert "content" not in refused
    assert (await parts.store.find(held)).state is MessageState.HELD
    made = await asked(edit, held)
    before = await parts.store.find(held)
    again = await edit.stopped(asked_for, ANNE)
    assert (again["told"], again["content"]) == ("done", made["content"])
    assert await parts.store.find(held) == before
    assert (await edit.stopped({"id": "zzzzzzzzzzzz"}, ANNE))["told"] == "no_such_message"

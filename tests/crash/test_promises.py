"""What a guard has said is read as promises, and an image that does not hold one of them is found."""

import json
from dataclasses import replace

import pytest

from mailguard.core.hold import HeldMessage
from mailguard.core.states import MessageState, RecipientState
from tests import making
from tests.crash.promises import Kept, Promises
from tests.crash.recording import Said

CONTENT = b"Subject: one\r\n\r\nHello\r\n"
TO = "b@client.example"
TAKEN = Said("TCP:[...]", b"250 2.0.0 Held as m1 until 2026-11-22T10:00:00Z: external\r\n")
OFFERED = Said(
    "TCP:[...]", b"Received: from x\r\n\tby guard.example (mailguard) with ESMTP id m1;\r\n\tSun" + CONTENT
)
HELD = making.message(id="m1")
QUEUED = replace(HELD, state=MessageState.QUEUED)
FLYING = making.message(making.recipient(in_flight=True), id="m1", state=MessageState.RELAYING)
SENT = making.message(
    making.recipient(state=RecipientState.SENT), id="m1", state=MessageState.SENT, body_kept=False
)
CANCELLED = making.message(
    making.recipient(state=RecipientState.DROPPED), id="m1", state=MessageState.CANCELLED
)


def answer(message: HeldMessage) -> Said:
    """The control socket's answer that shows a message."""
    recipients = [{"address": r.address, "state": r.state.value} for r in message.recipients]
    shown = {"id": message.id, "state": message.state.value, "recipients": recipients}
    return Said("UNIX-STREAM:[...]", json.dumps({"told": "done", "message": shown}).encode() + b"\n")


def found(
    message: HeldMessage | None, content: bytes | None, *said: Said, restored: bool = False
) -> list[str]:
    """What an image with this message does not hold of what was said."""
    promises = Promises(contents={"m1": CONTENT}, restored={"m1"} if restored else frozenset())
    for one in said:
        promises.hear(one)
    return promises.broken({} if message is None else {"m1": Kept(message, content)})


def test_promises_that_are_held() -> None:
    assert found(None, None) == []
    assert found(HELD, CONTENT) == []
    assert found(HELD, CONTENT, TAKEN) == []
    assert found(CANCELLED, CONTENT, TAKEN) == []
    assert found(CANCELLED, CONTENT, TAKEN, answer(CANCELLED)) == []
    assert found(HELD, CONTENT, TAKEN, answer(CANCELLED), restored=True) == []
    assert found(QUEUED, CONTENT, TAKEN, answer(QUEUED)) == []
    assert found(FLYING, CONTENT, TAKEN, answer(QUEUED), OFFERED) == []
    assert found(SENT, None, TAKEN, answer(QUEUED), OFFERED) == []


@pytest.mark.parametrize(
    ("what", "sentences"),
    [
        ("lost: its client was told 250", found(None, None, TAKEN)),
        ("not those handed in", found(HELD, CONTENT[:-1], TAKEN)),
        ("its bytes are gone", found(HELD, None, TAKEN)),
        ("its bytes are gone", found(CANCELLED, None, TAKEN)),
        ("told that it is cancelled", found(HELD, CONTENT, TAKEN, answer(CANCELLED))),
        ("told that it is queued", found(HELD, CONTENT, TAKEN, answer(QUEUED))),
        ("it would go twice, unnoticed", found(QUEUED, CONTENT, TAKEN, OFFERED)),
        ("it never left", found(SENT, None, TAKEN)),
    ],
)
def test_promises_that_are_not(what: str, sentences: list[str]) -> None:
    assert any(what in sentence for sentence in sentences), sentences


def test_a_loop_that_wakes_itself_up_says_nothing() -> None:
    assert found(HELD, CONTENT, Said("UNIX-STREAM:[...]", b"\0")) == []

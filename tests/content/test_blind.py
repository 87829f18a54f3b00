"""Who was not to be seen is not seen: not in what leaves, not by an approver."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.actor import ADMIN, Actor
from mailguard.core.outgoing import outgoing
from mailguard.edge.config import parse_rules
from mailguard.flow.choosing import Choosing
from mailguard.flow.desk import Desk
from mailguard.flow.listing import Listing
from mailguard.flow.replay import Replay
from tests.content.inbox import Inbox
from tests.flow.parts import ANNE, BOB, RULES, Rules
from tests.making import message

NAMES = st.sampled_from([b"Bcc", b"Resent-Bcc", b"X-Mailguard-Hold", b"X-MAILGUARD-"])
SECRET = b"s3cret@spy.example"


@st.composite
def hidden_fields(draw: st.DrawFn) -> bytes:
    """A field that must not leave, in any spelling: case, space and folds before the colon, folds behind."""
    name = bytes(
        draw(st.sampled_from([char, char ^ 32])) if chr(char).isalpha() else char for char in draw(NAMES)
    )
    space = draw(st.sampled_from([b"", b" ", b"\t ", b"\r\n ", b" \r\n\t", b"\r\n \r\n "]))
    folds = draw(st.lists(st.sampled_from([b"", b"\r\n ", b"\r\n\t", b",", b"a@b.example", b"\r\n \r\n\t:"])))
    return name + space + b":" + b" " + SECRET + b"".join(folds) + b"\r\n"


@st.composite
def shown_fields(draw: st.DrawFn) -> bytes:
    """A field that must leave as it is, also where it looks like the others."""
    return draw(
        st.sampled_from(
            [
                b"X-Bcc: a@b.example\r\n",
                b"Bccc: a@b.example\r\n",
                b"Subject: Bcc: a\r\n",
                b"Subject: x\r\n Bcc: folded\r\n",
                b"To: a@b.example,\r\n\tc@d.example\r\n",
                b"X-Mailguar: d\r\n",
                b"DKIM-Signature: h=bcc:from;\r\n b=\r\n",
                b"Received: by x\r\n",
                b"bcc\r\n",
                b":\r\n",
            ]
        )
    )


ONLY = f"{1:012d}"
BODIES = st.binary(max_size=200).map(lambda body: b"\r\n" + body)


@given(st.lists(st.tuples(st.booleans(), hidden_fields(), shown_fields()), max_size=12), BODIES)
def test_hidden_fields_go_and_every_other_byte_stays(
    fields: list[tuple[bool, bytes, bytes]], body: bytes
) -> None:
    content = b"".join(hidden if hide else shown for hide, hidden, shown in fields) + body
    kept = b"".join(b"" if hide else shown for hide, hidden, shown in fields) + body
    left = outgoing(message(), content, "guard.corp.example")
    trace = re.match(rb"Received: [^\n]*\n(?:[ \t][^\n]*\n)*", left)
    assert trace
    assert left[trace.end() :] == kept


def desk(inbox: Inbox) -> Desk:
    """A desk on the parts."""
    parts = inbox.parts
    return Desk(
        decide=parts.decide,
        history=parts.history,
        listing=Listing(store=parts.store, history=parts.history),
        receive=parts.receive,
        replay=Replay(store=parts.store),
        backup=parts.standstill,
        policies=parts.rules,
        clock=parts.clock,
        language="en",
        more=Choosing(parts.preferences).verbs,
        about=dict,
        parse_rules=parse_rules,
    )


async def waiting(inbox: Inbox) -> str:
    """A message of Anne's that waits for Bob, with an answer to a thread and somebody blind; its id."""
    inbox.parts.rules.current = Rules(RULES + "\n[checks]\n").current
    await inbox.parts.memory.learn("two@corp.example", [], ["anne@corp.example"])
    content = (
        b"From: anne@corp.example\r\nTo: Press <x@newspaper.example>\r\nBcc: blind@spy.example\r\n"
        b"In-Reply-To: <two@corp.example>\r\nSubject: x\r\n\r\nHello\r\n"
    )
    reply = await inbox.accept(content, "x@newspaper.example", "blind@spy.example")
    assert reply.accepted, reply
    return reply.text.split(" as ")[1].split()[0]


async def show(inbox: Inbox, verb: str, actor: Actor, **more: Any) -> dict[str, Any]:
    """What the desk answers."""
    answer = await desk(inbox).answer({"verb": verb, "id": ONLY, **more}, actor)
    return dict(json.loads(json.dumps(answer)))


@pytest.mark.parametrize("actor", [ANNE, ADMIN], ids=["sender", "admin"])
async def test_the_sender_and_the_admin_see_who_is_blind(inbox: Inbox, actor: Actor) -> None:
    await waiting(inbox)
    shown = (await show(inbox, "show", actor))["message"]
    assert {each["address"]: each["blind"] for each in shown["recipients"]} == {
        "x@newspaper.example": False,
        "blind@spy.example": True,
    }
    assert {each["recipient"] for each in shown["findings"]} == {"x@newspaper.example", "blind@spy.example"}


@pytest.mark.parametrize("verb", ["show", "raw", "approve", "reject", "queue"])
async def test_an_approver_never_sees_who_is_blind(inbox: Inbox, verb: str) -> None:
    message_id = await waiting(inbox)
    await desk(inbox).answer({"verb": "cancel", "id": message_id, "to": ["blind@spy.example"]}, ANNE)
    answer = await show(inbox, verb, BOB, reason="no")
    assert answer["told"] == "done"
    assert "blind@spy" not in json.dumps(answer)
    if verb == "show":
        assert [each["address"] for each in answer["message"]["recipients"]] == ["x@newspaper.example"]
        assert [event["event"] for event in answer["message"]["events"]] == ["received", "cancel"]


async def test_what_a_sender_wrote_twice_in_two_spellings_is_not_blind(inbox: Inbox) -> None:
    content = b"From: anne@corp.example\r\nTo: Client@CUSTOMER.example\r\n\r\nx\r\n"
    await inbox.accept(content, "client@customer.example", "other@customer.example")
    shown = (await show(inbox, "show", ANNE))["message"]
    assert [each["blind"] for each in shown["recipients"]] == [False, True]

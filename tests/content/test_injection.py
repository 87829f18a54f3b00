"""Foreign text is text: in every verb, in the log, on the terminal."""

import contextlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailguard.cli import render
from mailguard.core import view
from mailguard.core.actor import ADMIN
from mailguard.core.findings import Finding
from mailguard.core.states import MessageState
from mailguard.edge import oplog
from tests.content.inbox import Inbox
from tests.content.test_blind import desk
from tests.flow.parts import ANNE
from tests.making import NOW, message, recipient

VERBS = [
    *(
        "status",
        "queue",
        "show",
        "raw",
        "cancel",
        "restore",
        "release",
        "confirm",
        "approve",
        "freeze",
        "thaw",
    ),
    *("reject", "extend", "reload", "try"),
]
HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "' OR '1'='1",
            "'; DROP TABLE message; --",
            '" OR ""="',
            "%",
            "_",
            "000000000001' --",
            "0%",
            "[0-9]*",
            "\x00",
            "\ud800",
            "{}",
            "{0.__class__}",
            "%s%n",
            "000000000001",
            "anne@corp.example",
            "9" * 400,
        ]
    ),
)
ANY = st.one_of(HOSTILE, st.lists(HOSTILE, max_size=3), st.integers(), st.floats(), st.none(), st.booleans())
KEYS = (
    "id",
    "sender",
    "states",
    "to",
    "reason",
    "by_seconds",
    "until",
    "content",
    "from",
    "user",
    "limit",
    "rules",
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(verb=st.sampled_from(VERBS), arguments=st.dictionaries(st.sampled_from(KEYS), ANY, max_size=5))
async def test_no_argument_is_more_than_a_text(inbox: Inbox, verb: str, arguments: dict[str, Any]) -> None:
    """The table is still there, and nobody but the named message was touched."""
    content = b"From: anne@corp.example\r\nSubject: kept\r\n\r\nx\r\n"
    if not await inbox.parts.history.listing(ADMIN, finished=True):
        assert (await inbox.accept(content, "out@side.example")).accepted
    answer = await desk(inbox).answer({**arguments, "verb": verb}, ANNE)
    assert isinstance(answer["told"], str)
    kept = await inbox.parts.history.listing(ADMIN, finished=True)
    assert [one.subject for one in kept] == ["kept"]


@pytest.mark.parametrize(
    "injected", ["' OR '1'='1", "%", "_nne@corp.example", "anne@corp.example'--", "*", '"']
)
async def test_a_filter_finds_nothing_but_what_it_names(inbox: Inbox, injected: str) -> None:
    await inbox.accept(b"From: anne@corp.example\r\n\r\nx\r\n", "out@side.example")
    front = desk(inbox)
    assert (await front.answer({"verb": "queue", "sender": injected, "all": True}, ADMIN))["messages"] == []
    assert (await front.answer({"verb": "show", "id": injected}, ADMIN))["told"] != "done"
    assert (await front.answer({"verb": "cancel", "id": injected}, ADMIN))["told"] != "done"
    assert len((await front.answer({"verb": "queue", "all": True}, ADMIN))["messages"]) == 1  # type: ignore[arg-type]


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(st.sampled_from(["subject", "sender", "to", "reason"]), ANY, min_size=1))
def test_an_event_is_one_line_whatever_is_in_it(fields: dict[str, Any]) -> None:
    stream = io.StringIO()
    log = oplog.configure(oplog.LogFormat("json"), "debug", stream)
    log.event("received", **fields)
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()
    assert json.loads(line)["event"] == "received"


@settings(deadline=None, max_examples=15)
@given(st.text(max_size=80), st.text(max_size=40))
def test_the_terminal_gets_no_control_character(one: str, other: str) -> None:
    held = message(
        recipient(one, reply=other),
        subject=one,
        sender=other,
        approvers=(one,),
        state=MessageState.HELD,
        findings=(
            Finding(check="display_name_deceives", recipient=one, parameters={"name": one, "address": other}),
            Finding(check=other),
        ),
    )
    events: list[view.Json] = [{"at": "t", "event": "e", "by": one, "reason": other, "blind": [one]}]
    shown = view.with_history(view.message(held), held, events)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        render.queue([[shown]], NOW + timedelta(seconds=1))
        render.show(shown, NOW)
    written = out.getvalue()
    assert all(char.isprintable() or char == "\n" for char in written)

"""The front desk: plain values in, plain values out, whatever is asked."""

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailguard.core.actor import ADMIN
from mailguard.core.errors import ConfigurationError, Fault
from mailguard.edge.config import parse_rules
from mailguard.flow.choosing import Choosing
from mailguard.flow.desk import Desk
from mailguard.flow.listing import Listing
from mailguard.flow.replay import Replay
from tests.flow.parts import ANNE, BOB, MESSAGE, Parts


@pytest.fixture
def desk(parts: Parts) -> Desk:
    """A desk on the parts."""
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
        about=lambda: {"running": True},
        parse_rules=parse_rules,
    )


async def test_the_queue_is_copied_by_an_admin_only_and_one_at_a_time(desk: Desk) -> None:
    assert (await desk.answer({"verb": "backup", "step": "begin"}, ANNE))["told"] == "not_yours"
    begun = await desk.answer({"verb": "backup", "step": "begin"}, ADMIN)
    assert begun["told"] == "done"
    assert (await desk.answer({"verb": "backup", "step": "begin"}, ADMIN))["told"] == "try_later"
    for step in ("renew", "end"):
        request = {"verb": "backup", "step": step}
        assert (await desk.answer({**request, "token": "x"}, ADMIN))["told"] == "try_later"
        assert (await desk.answer({**request, "token": begun["token"]}, ADMIN))["told"] == "done"
    assert (await desk.answer({"verb": "backup", "step": "dance"}, ADMIN))["told"] == "refused"


async def test_the_queue_lists_what_the_contract_names(parts: Parts, desk: Desk) -> None:
    await parts.submit()
    answer = await desk.answer({"verb": "queue"}, ADMIN)
    assert json.loads(json.dumps(answer["messages"])) == [
        {
            "id": "000000000001",
            "state": "held",
            "sender": "anne@corp.example",
            "user": "anne",
            "subject": "Where we can save",
            "size": len(MESSAGE),
            "message_id": "<one@corp.example>",
            "received_at": "2026-11-22T10:00:00Z",
            "release_at": "2026-11-22T10:05:00Z",
            "expires_at": None,
            "finished_at": None,
            "action": "delay",
            "rules": ["external"],
            "approvers": [],
            "deputies": [],
            "recipients": [
                {
                    "address": "client@customer.example",
                    "state": "waiting",
                    "external": True,
                    "release_at": "2026-11-22T10:05:00Z",
                    "reply": None,
                    "attempts": 0,
                    "next_try_at": None,
                    "sent_at": None,
                    "in_flight": False,
                    "maybe_sent": False,
                    "restorable_until": None,
                }
            ],
            "findings": [],
        }
    ]


async def test_show_adds_the_history_and_raw_gives_the_bytes(parts: Parts, desk: Desk) -> None:
    message = await parts.id_of()
    await parts.decide.cancel(message, ANNE)
    shown = (await desk.answer({"verb": "show", "id": message}, ADMIN))["message"]
    assert isinstance(shown, dict)
    assert [(event["event"], event["by"]) for event in shown["events"]] == [
        ("received", "anne"),
        ("cancel", "anne"),
    ]
    raw = await desk.answer({"verb": "raw", "id": message}, ADMIN)
    assert base64.b64decode(str(raw["content"])) == MESSAGE


async def test_raw_of_what_is_gone_is_too_late(parts: Parts, desk: Desk) -> None:
    message = await parts.id_of("boss@corp.example")
    await parts.tick()
    assert (await desk.answer({"verb": "raw", "id": message}, ADMIN))["told"] == "too_late"


async def test_every_decision_has_its_verb(parts: Parts, desk: Desk) -> None:
    message = await parts.id_of()
    for verb, state in [
        ("cancel", "cancelled"),
        ("restore", "held"),
        ("freeze", "frozen"),
        ("thaw", "held"),
        ("extend", "held"),
        ("release", "queued"),
    ]:
        answer = await desk.answer({"verb": verb, "id": message, "by_seconds": 60}, ANNE)
        assert isinstance(answer["message"], dict), answer
        assert (answer["told"], answer["message"]["state"]) == ("done", state)


async def test_approval_by_its_verbs(parts: Parts, desk: Desk) -> None:
    message = await parts.id_of("editor@newspaper.example")
    assert (await desk.answer({"verb": "reject", "id": message}, BOB))["told"] == "refused"
    answer = await desk.answer({"verb": "reject", "id": message, "reason": "not yet"}, BOB)
    assert answer["told"] == "done"


async def test_try_tells_what_would_happen_and_stores_nothing(parts: Parts, desk: Desk) -> None:
    request = {"verb": "try", "content": base64.b64encode(MESSAGE).decode()}
    answer = await desk.answer(request, ADMIN)
    assert isinstance(answer["verdict"], dict)
    assert answer["verdict"]["reason"] == "external"
    assert answer["verdict"]["recipients"][0]["release_at"] == "2026-11-22T10:05:00Z"
    other = await desk.answer({**request, "rules": 'internal_domains = ["customer.example"]'}, ADMIN)
    assert isinstance(other["verdict"], dict)
    assert other["verdict"]["action"] == "none"
    bad = await desk.answer({**request, "rules": "[[rule]]\nnam = 1"}, ADMIN)
    assert bad["told"] == "refused"
    assert await parts.history.listing(ADMIN) == []


async def test_a_reload_that_fails_tells_every_fault(parts: Parts, desk: Desk) -> None:
    parts.rules.faults = (Fault(file="rules.toml", line=3, key="rule", problem="bad", expected="good"),)
    answer = await desk.answer({"verb": "reload"}, ADMIN)
    assert answer["told"] == "refused"
    assert answer["errors"] == ["rules.toml:3: rule: bad; expected good"]
    assert (await desk.answer({"verb": "reload"}, ANNE))["told"] == "not_yours"


async def test_a_configuration_error_is_an_answer(parts: Parts, desk: Desk) -> None:
    def broken(text: str, name: str) -> object:
        raise ConfigurationError((Fault(file=name, line=1, key="", problem="no", expected=""),))

    desk._parse_rules = broken  # type: ignore[assignment]
    answer = await desk.answer({"verb": "try", "content": "", "to": ["a@b.example"], "rules": "x"}, ADMIN)
    assert answer["errors"] == ["rules.toml:1: no"]


async def test_the_status_tells_of_the_program_and_the_queue(parts: Parts, desk: Desk) -> None:
    await parts.submit()
    status = (await desk.answer({"verb": "status"}, ADMIN))["status"]
    assert isinstance(status, dict)
    assert status["running"] is True
    assert status["rules"][0] == "external"


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=True),
    st.text(max_size=20),
    st.lists(st.text()),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    verb=st.sampled_from(
        ["queue", "show", "raw", "cancel", "extend", "reject", "try", "reload", "status", "x", ""]
    ),
    rest=st.dictionaries(
        st.sampled_from(
            ["id", "to", "states", "sender", "all", "limit", "until", "by_seconds", "content", "rules"]
        ),
        values,
    ),
)
async def test_no_request_raises(desk: Desk, verb: str, rest: dict[str, object]) -> None:
    answer = await desk.answer({"verb": verb, **rest}, ADMIN)
    assert isinstance(answer["told"], str)


async def test_a_time_needs_to_be_one(parts: Parts, desk: Desk) -> None:
    message = await parts.id_of()
    answer = await desk.answer({"verb": "extend", "id": message, "until": "soon"}, ANNE)
    assert "expected one like" in str(answer["text"])
    at = (parts.clock.now() + timedelta(hours=1)).isoformat()
    assert (await desk.answer({"verb": "extend", "id": message, "until": at}, ANNE))["told"] == "done"

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mailguard.core.policy import Policy
from mailguard.core.recall.dialogue import Dialogue, every_check, letter
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.learnt import Learnt
from mailguard.edge.learned import load


def _message(to: list[str], body: str = "", day: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{day}@x",
        "date": f"2026-01-{day:02}T09:00:00Z",
        "from": "anna@corp.example",
        "to": to,
        "cc": [],
        "subject": "",
        "in_reply_to": "",
        "references": [],
        "body": body,
        **more,
    }


def _fresh(policy: Policy | None = None) -> Dialogue:
    policy = policy or every_check(["corp.example"], 2.0)
    return Dialogue(judge=Learnt(load()), digests=Digests(b"k"), policy=policy)


def _found(dialogue: Dialogue, message: dict[str, Any]) -> dict[str, Any]:
    said = dialogue.answer({"op": "score", "msg": message})
    assert said is not None
    return {one["check"]: one for one in said["findings"]}


def test_what_was_observed_is_known_and_what_was_judged_is_not() -> None:
    dialogue = _fresh()
    for day in range(1, 9):
        assert dialogue.answer({"op": "observe", "msg": _message(["b@corp.example"], day=day)}) is None
    question = {"op": "score", "msg": _message(["b@corp.example", "New@Client.Example"], day=10)}
    first = dialogue.answer(question)
    assert first is not None
    assert set(first["scores"]) == {"b@corp.example", "New@Client.Example", "*"}
    assert first["scores"]["New@Client.Example"] > first["scores"]["b@corp.example"]
    assert first["scores"]["*"] == max(first["scores"].values())
    assert dialogue.answer(question) == first
    assert len(dialogue.memory) == 8
    json.dumps(first)


def test_a_right_mail_teaches_the_calibration_once_it_is_out() -> None:
    judge = Learnt(load())
    dialogue = Dialogue(judge=judge, digests=Digests(b"k"), policy=every_check(["corp.example"], 2.0))
    message = _message(["b@corp.example"])
    dialogue.answer({"op": "score", "msg": message})
    dialogue.answer({"op": "score", "msg": {**message, "to": ["wrong@corp.example"]}})
    dialogue.answer({"op": "observe", "msg": message})
    assert len(judge._calibration._own) == 1


def test_all_checks_of_recipients_are_asked() -> None:
    dialogue = _fresh()
    for day in range(1, 25):
        message = _message(["b@corp.example", "paul@client.example"], day=day, subject="The order")
        dialogue.answer({"op": "observe", "msg": message})
    answer = _message(
        ["Evelyn@cliemt.example"],
        day=26,
        body="Dear Paul,\nsee below.",
        references=["24@x"],
        subject="Re: The order",
    )
    found = _found(dialogue, answer)
    assert {"stranger_in_thread", "new_domain_in_thread", "first_contact", "lookalike_domain"} <= set(found)
    assert found["greeting_mismatch"]["recipient"] == "Evelyn@cliemt.example"
    assert found["stranger_in_thread"] == {
        "check": "stranger_in_thread",
        "severity": "warning",
        "recipient": "Evelyn@cliemt.example",
        "text": "Evelyn@cliemt.example had no part in this conversation before.",
    }
    assert _found(dialogue, {**answer, "to": ["paul@client.example"]}) == {}


def test_what_this_form_of_a_message_cannot_show_is_not_asked() -> None:
    message = _message(["b@corp.example"], body="The file is attached.")
    assert "forgotten_attachment" not in _found(_fresh(), message)


def test_without_domains_of_ours_the_senders_own_is() -> None:
    dialogue = _fresh(every_check([], 2.0))
    for day in range(1, 25):
        dialogue.answer({"op": "observe", "msg": _message(["b@corp.example"], day=day)})
    found = _found(dialogue, _message(["new@corp.example"], day=26))
    assert "first_contact" not in found
    assert "first_contact" in _found(dialogue, _message(["new@client.example"], day=26))


def test_what_its_sender_said_yes_to_is_not_found_again() -> None:
    meant = {"anna@corp.example": frozenset({("first_contact", "new@client.example")})}
    policy = every_check(["corp.example"], 2.0)
    dialogue = Dialogue(judge=Learnt(load()), digests=Digests(b"k"), policy=policy, meant=meant)
    for day in range(1, 25):
        dialogue.answer({"op": "observe", "msg": _message(["b@corp.example"], day=day)})
    assert "first_contact" not in _found(dialogue, _message(["new@client.example"], day=26))
    assert "first_contact" in _found(dialogue, _message(["other@client.example"], day=26))


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"op": "observe"},
        {"op": "sing", "msg": _message([])},
        {"op": "score", "msg": {"from": 3}},
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_a_reason(line: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        _fresh().answer(line)


@pytest.mark.parametrize(
    "date",
    ["soon", "", None, 3, -1e300, 1e300, float("nan"), [], "0001-01-01T00:00:00+14:00", "9999-12-31", "2026"],
)
def test_a_date_that_is_none_stops_nothing(date: object) -> None:
    dialogue = _fresh()
    for op in ("observe", "score", "observe", "score"):
        said = dialogue.answer({"op": op, "msg": {**_message(["b@x.example"]), "date": date}})
    assert said is not None and "b@x.example" in said["scores"]


@pytest.mark.parametrize("date", ["Mon, 05 Jan 2026 10:00:00 +0100", 1767603600, "2026-01-05T10:00:00+01:00"])
def test_dates_in_other_forms(date: object) -> None:
    assert letter({"from": "a@x.example", "date": date}).when == datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_addresses_as_in_a_header_are_taken_apart() -> None:
    one = letter(
        {"from": "a@x.example", "to": 'Bob <b@x.example>, "C, D" <c@x.example>', "references": "<1> <2>"}
    )
    assert one.to == ("b@x.example", "c@x.example")
    assert one.answers == ("1", "2")


def test_a_crowd_and_a_text_without_end() -> None:
    crowd = [f"p{number}@x.example" for number in range(3000)]
    message = {**_message(crowd), "body": "word " * 2_000_000, "unknown": {"key": 1}}
    said = _fresh().answer({"op": "score", "msg": message})
    assert said is not None and len(said["scores"]) == 3001
    nobody = _fresh().answer({"op": "score", "msg": _message([])})
    assert nobody is not None and nobody["scores"] == {"*": 0.0}


def test_fields_of_other_kinds_are_left_out() -> None:
    odd = {
        "from": "a@x.example",
        "date": "2026-01-01",
        "to": [1, "b@x.example"],
        "subject": None,
        "references": "x",
    }
    said = _fresh().answer({"op": "score", "msg": odd})
    assert said is not None
    assert set(said["scores"]) == {"b@x.example", "*"}

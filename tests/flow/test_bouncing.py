"""Bounces are part of the change that causes them, and only of that."""

import itertools

from mailguard.core import delivery, moves
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.hold import Change
from mailguard.core.states import MessageState
from mailguard.flow.bouncing import Bouncing
from tests.making import NOW, in_state, message, recipient

CONTENT = b"Subject: Cost cuts\r\n\r\nTwo positions less.\r\n"


def bouncing() -> Bouncing:
    """One that numbers what it writes."""
    numbers = itertools.count(1)
    return Bouncing(ids=lambda: f"bounce{next(numbers)}", hostname="guard.corp.example", language="en")


def attempted(answer: Answer, *, notify: str | None = None, dsn: bool = False) -> Change:
    """A settled attempt with its bounces."""
    flying = message(
        recipient(in_flight=True, attempts=1, first_try_at=NOW, notify=notify), state=MessageState.RELAYING
    )
    outcome = Outcome(address="b@client.example", answer=answer, reply="550 5.1.1 no such user", dsn=dsn)
    change = delivery.settle(flying, [outcome], by="mailguard", now=NOW)
    return bouncing().settled(change, [outcome], CONTENT)


def test_a_failure_brings_one_bounce_to_the_sender() -> None:
    [bounce] = attempted(Answer.NEVER).adds
    assert bounce.message.sender == ""
    assert [r.address for r in bounce.message.recipients] == ["a@corp.example"]
    assert b"550 5.1.1 no such user" in bounce.content


def test_what_was_taken_or_put_off_brings_none() -> None:
    assert attempted(Answer.TAKEN).adds == ()
    assert attempted(Answer.LATER).adds == ()


def test_who_never_wants_to_hear_of_it_does_not() -> None:
    assert attempted(Answer.NEVER, notify="NEVER").adds == ()


def test_success_is_reported_only_where_the_upstream_will_not() -> None:
    assert len(attempted(Answer.TAKEN, notify="SUCCESS").adds) == 1
    assert attempted(Answer.TAKEN, notify="SUCCESS", dsn=True).adds == ()


def test_an_expiry_returns_the_message_itself() -> None:
    change = moves.expire(in_state(MessageState.CONFIRM), by="mailguard", now=NOW)
    assert isinstance(change, Change)
    [bounce] = bouncing().expired(change, CONTENT).adds
    assert b"Two positions less." in bounce.content


def test_a_rejection_carries_its_reason() -> None:
    change = moves.reject(in_state(MessageState.APPROVAL), "after the results", by="p", now=NOW)
    assert isinstance(change, Change)
    [bounce] = bouncing().rejected(change, "after the results", CONTENT).adds
    assert b"after the results" in bounce.content

"""Second tries within one transaction, before any database has them."""

from dataclasses import replace
from datetime import timedelta

from mailguard.core.states import MessageState
from mailguard.edge.store.known import NOT_KNOWN, Fresh
from mailguard.ports import First
from tests.edge.store.contract_resubmission import mark
from tests.making import NOW, message


def test_what_the_database_knows_and_what_comes_now_are_known_alike() -> None:
    fresh = Fresh()
    fresh.find([(mark(1).digest, 5, NOW, "Held as old", "old", "held")])
    assert fresh.first(mark(1)) == First(id="old", state=MessageState.HELD, reply="Held as old")
    new = message()
    assert fresh.first(mark(2)) is None
    fresh.add(6, new, mark(2))
    assert fresh.first(mark(2)) == First(id=new.id, state=new.state, reply=mark(2).reply)
    assert fresh.again == [(5, mark(1)), (6, mark(2))]
    assert list(fresh.numbers()) == [5, 6]
    assert fresh.added == [(6, mark(2).digest, new.received_at, mark(2).reply)]


def test_what_is_too_old_is_not_known() -> None:
    fresh = Fresh()
    fresh.find([(mark(1).digest, 5, mark(1).since - timedelta(seconds=1), "", "old", "held")])
    assert fresh.first(mark(1)) is None
    assert fresh.again == []


def test_no_older_one_is_asked_about_than_the_latest_asks() -> None:
    fresh = Fresh()
    later = replace(mark(2), since=mark(1).since + timedelta(seconds=5))
    for number, one in enumerate((mark(1), later, mark(3))):
        fresh.add(number, message(), one)
    assert fresh.since == later.since


def test_what_came_back_to_its_sender_may_be_sent_once_more() -> None:
    assert set(NOT_KNOWN) == {"failed", "rejected", "expired"}

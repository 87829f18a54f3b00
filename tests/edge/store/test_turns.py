"""Turns on SQLite keep the contract; and an order is worth something for a second."""

from datetime import timedelta

from mailguard.edge.store.turns import KEPT, Order
from tests.edge.store.contract_turns import TurnsContract
from tests.making import NOW


class TestTurns(TurnsContract):
    """The contract."""


def test_an_order_is_good_for_a_moment_and_until_it_is_used_up() -> None:
    order = Order()
    assert not order.good(NOW)
    order.make([3, 1, 2], NOW)
    assert order.good(NOW) and order.good(NOW, 3)
    assert not order.good(NOW, 4)
    assert order.take(2) == [3, 1]
    assert order.good(NOW + KEPT - timedelta(microseconds=1))
    # Neither after it nor, where a clock was set back, before it.
    assert not order.good(NOW + KEPT)
    assert not order.good(NOW - timedelta(seconds=1))
    assert order.take(5) == [2]
    assert not order.good(NOW)


def test_an_order_of_what_can_be_taken_at_once_is_none() -> None:
    order = Order()
    order.make([1, 2], NOW)
    order.clear()
    assert not order.good(NOW)
    assert order.take(5) == []

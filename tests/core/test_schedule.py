"""When a deferred message is tried again."""

from datetime import timedelta

import pytest

from mailguard.core import schedule

# After so many attempts, so many minutes: the golden table.
TABLE = [
    (1, 1),
    (2, 2),
    (3, 5),
    (4, 10),
    (5, 15),
    (6, 30),
    (7, 60),
    (8, 120),
    (9, 180),
    (10, 240),
    (11, 240),
    (99, 240),
]


@pytest.mark.parametrize(("attempts", "minutes"), TABLE)
def test_the_pauses_grow(attempts: int, minutes: int) -> None:
    assert schedule.next_delay(attempts) == timedelta(minutes=minutes)


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (5, 15), (6, 30), (7, 30), (99, 30)])
def test_in_an_outage_they_grow_less(attempts: int, minutes: int) -> None:
    assert schedule.next_delay(attempts, outage=True) == timedelta(minutes=minutes)


def test_a_message_that_was_never_tried_waits_the_shortest_time() -> None:
    assert schedule.next_delay(0) == timedelta(minutes=1)


def test_trying_goes_on_for_days_and_not_for_ever() -> None:
    tried, passed = 0, timedelta(0)
    while passed < schedule.GIVE_UP:
        tried += 1
        passed += schedule.next_delay(tried)
    # RFC 5321 section 4.5.4.1: 4-5 days at least, and no more than is fair to the upstream.
    assert timedelta(days=4) <= schedule.GIVE_UP
    assert 30 < tried < 60

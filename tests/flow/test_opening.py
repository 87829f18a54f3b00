"""The link that opens the page once."""

from datetime import timedelta

from mailguard.flow.opening import GOOD_FOR, OnceLink
from tests.clocks import FakeClock


def test_it_is_good_once() -> None:
    link = OnceLink(FakeClock())
    shown = link.fresh()
    assert not link.used("")
    assert not link.used(shown + "x")
    assert link.used(shown)
    assert not link.used(shown)


def test_none_was_ever_made() -> None:
    assert not OnceLink(FakeClock()).used("")


def test_a_new_one_makes_the_old_one_void() -> None:
    link = OnceLink(FakeClock())
    old, new = link.fresh(), link.fresh()
    assert not link.used(old)
    assert link.used(new)


async def test_its_time_is_bounded() -> None:
    clock = FakeClock()
    link = OnceLink(clock)
    shown = link.fresh()
    await clock.advance(GOOD_FOR + timedelta(seconds=1))
    assert not link.used(shown)
    assert shown not in repr(vars(link))

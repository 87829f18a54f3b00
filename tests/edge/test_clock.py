"""The real clock."""

from datetime import timedelta

from mailguard.edge.clock import SystemClock


async def test_it_tells_utc_and_goes_forward() -> None:
    clock = SystemClock()
    before, tick = clock.now(), clock.monotonic()
    await clock.sleep(0.01)
    assert before.utcoffset() == timedelta(0)
    assert clock.now() > before
    assert clock.monotonic() > tick

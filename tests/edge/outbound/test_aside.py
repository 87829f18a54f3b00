"""Work that blocks is waited for until the deadline, and no longer."""

import asyncio
import threading

import pytest

from mailguard.edge.outbound.aside import Aside


async def test_what_it_returns_and_raises_comes_back() -> None:
    aside = Aside(name="aside", places=1, deadline=5)
    assert await aside.run(lambda: threading.current_thread().name) == "aside"
    with pytest.raises(ZeroDivisionError):
        await aside.run(lambda: 1 // 0)


async def test_what_hangs_is_left_behind_and_keeps_its_place() -> None:
    aside = Aside(name="aside", places=1, deadline=0.1)
    go_on = threading.Event()
    with pytest.raises(TimeoutError):
        await aside.run(go_on.wait)
    ran = []
    with pytest.raises(TimeoutError):
        await aside.run(lambda: ran.append(1))
    assert ran == []
    go_on.set()
    patient = Aside(name="other", places=1, deadline=5)
    assert await patient.run(lambda: 7) == 7
    async with asyncio.timeout(5):
        while not ran:
            try:
                await aside.run(lambda: ran.append(1))
            except TimeoutError:
                continue

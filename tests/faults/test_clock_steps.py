"""Somebody sets the machine's clock while messages wait: nothing leaves early, and nothing stays."""

import time
from pathlib import Path

import pytest

from tests import guard as guards
from tests import sink as sinks
from tests.faults.injecting import taken, troubles
from tests.programs import missing, require
from tests.sink import Sink

DELAY_SECONDS = 4
RULES = guards.RULES.replace('delay = "1h"', f'delay = "{DELAY_SECONDS}s"')


class WallClock:
    """The wall clock of all processes that are started from here on; the other clocks are the machine's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        require("faketime")
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not found:
            missing("libfaketimeMT.so.1 is not in /usr/lib (apt install libfaketime)")
        self._offset = directory / "offset"
        self.set(0)
        monkeypatch.setenv("LD_PRELOAD", str(found[0]))
        monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(self._offset))
        monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
        monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")

    def set(self, seconds: int) -> None:
        """So many seconds before or after the real time."""
        new = self._offset.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.replace(self._offset)


def leaves_after(sink: Sink, guard: guards.Guard, subject: str, clock: WallClock, step: int) -> float:
    """How many real seconds a message is held in which the clock is set."""
    began = time.monotonic()
    taken(guard, subject)
    time.sleep(1)
    clock.set(step)
    sink.wait(lambda delivery: f"{subject}@customer.example" in delivery.recipients, timeout=60)
    return time.monotonic() - began


@pytest.mark.slow
def test_a_step_of_an_hour_moves_no_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sinks.running() as sink:
        guard = guards.configured(tmp_path, guards.smtp_upstream(sink.port), rules=RULES)
        clock = WallClock(monkeypatch, tmp_path)
        guard.start()
        try:
            for subject, step in (("ahead", 3600), ("back", 0), ("further", -3600), ("again", 3600)):
                # The told time is rounded to nothing: a thousandth of the delay is all that it may be early.
                assert DELAY_SECONDS * 0.99 < leaves_after(sink, guard, subject, clock, step) < 40
                deadline = time.monotonic() + 30
                # Nothing waits now, and the guard goes by the new time.
                while troubles(guard) or guard.log().count("clock_adopted") == 0:
                    assert time.monotonic() < deadline, guard.log()
                    time.sleep(0.2)
            # One that comes while nothing waits is adopted before it is told of.
            log = guard.log()
            assert log.count("clock_stepped") + log.count("clock_adopted") >= 4
        finally:
            assert guard.stop() == 0, guard.log()

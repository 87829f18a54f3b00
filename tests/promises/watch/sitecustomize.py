"""Python runs this at the start of a guard that has this directory on its PYTHONPATH: it watches the event
loop of the real program from inside, and writes what it saw when the process ends.

A beat runs every few milliseconds on the loop; the processor time of the loop's own thread between two beats
is how long the loop stood still, whatever else the machine had to do meanwhile. What waits without computing
(a file, a lock, a sleep) is blockbuster's to find: it raises, and the guard's own log tells where.
"""

import atexit
import json
import os
import time
from pathlib import Path
from typing import Any

BEAT = 0.002
REPORT = "LOOP_REPORT"
# A look at a name on a local disk: is the certificate, or the users file, another one by now?
QUICK = ("os.stat", "os.statvfs", "os.unlink")


class Watch:
    """The longest stretch between two beats, in seconds of the thread's own time, from the moment when a file
    beside the report says that the start is over."""

    def __init__(self, loop: Any, report: Path) -> None:
        self._loop = loop
        self._report = report
        self._begin = report.with_suffix(".begin")
        self._last: float | None = None
        self._longest = 0.0
        self._beats = 0

    def beat(self) -> None:
        """One more round of the loop."""
        if self._last is not None:
            self._longest = max(self._longest, time.thread_time() - self._last)
            self._beats += 1
            self._last = time.thread_time()
        elif self._begin.exists():
            self._forbid_waiting()
            self._last = time.thread_time()
        self._loop.call_later(BEAT, self.beat)

    def _forbid_waiting(self) -> None:
        # Only now: the start of the program may read its files.
        from blockbuster import BlockBuster  # noqa: PLC0415

        watch = BlockBuster(excluded_modules=["logging"])
        watch.activate()
        for quick in QUICK:
            if quick in watch.functions:
                watch.functions[quick].deactivate()

    def end(self) -> None:
        """Tell what was seen."""
        seen = json.dumps({"longest": self._longest, "beats": self._beats})
        self._report.write_text(seen)


def install(report: Path) -> None:
    """Watch the loop that the program makes."""
    import uvloop  # noqa: PLC0415

    make = uvloop.new_event_loop

    def watched() -> Any:
        loop = make()
        watch = Watch(loop, report)
        loop.call_soon(watch.beat)
        atexit.register(watch.end)
        return loop

    uvloop.new_event_loop = watched


if path := os.environ.get(REPORT):
    install(Path(path))

"""`mailguard` under a stop-watch: how long its store is busy with one thing, and how long its event loop.

    python -m tests.benchmarks.watched FIGURES VERB [OPTION]...

Writes the figures into that file, as JSON, when the program ends.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from mailguard import cli
from mailguard.edge.store.sqlite import Database

# How often the loop is asked whether it is there.
TICK = 0.005


@dataclass(kw_only=True)
class Busy:
    """The longest of each, in milliseconds. `store` is one turn of the store's thread: a transaction with its
    sync and what is written back after it, or the reads between two. `loop` is how much later than asked for
    the event loop came round, `loop_cpu` what it had used of a core meanwhile: the rest it has waited for
    another thread or for the machine."""

    store: float = 0
    loop: float = 0
    loop_cpu: float = 0


class Watch:
    """Wraps the program; `busy` is what it has seen."""

    def __init__(self) -> None:
        self.busy = Busy()

    def put_on(self) -> None:
        """From now on every event loop is watched, and every store in a file."""
        opened, made, watch = Database.open, uvloop.new_event_loop, self

        async def open_watched(path: Path, **how: Any) -> Database:
            database = await opened(path, **how)
            watch._timed(database)
            return database

        def make_watched() -> uvloop.Loop:
            loop = made()
            loop.call_soon(watch._begin, loop)
            return loop

        Database.open = open_watched  # type: ignore[method-assign]
        uvloop.new_event_loop = make_watched

    def _begin(self, loop: uvloop.Loop) -> None:
        # It ends with the loop.
        self._ticking = loop.create_task(self._tick())

    def _timed(self, database: Database) -> None:
        connection = database._connection
        run = connection.run

        async def timed(function: Callable[..., Any], *arguments: Any) -> Any:
            def in_thread(*inside: Any) -> Any:
                begun = time.perf_counter()
                try:
                    return function(*inside)
                finally:
                    self.busy.store = max(self.busy.store, 1000 * (time.perf_counter() - begun))

            return await run(in_thread, *arguments)

        connection.run = timed  # type: ignore[method-assign, assignment]

    async def _tick(self) -> None:
        while True:
            at, spent = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            late = 1000 * (time.perf_counter() - at - TICK)
            self.busy.loop = max(self.busy.loop, late)
            self.busy.loop_cpu = max(self.busy.loop_cpu, 1000 * (time.thread_time() - spent))


def main(arguments: Sequence[str]) -> None:
    """Run it."""
    figures, *verb = arguments
    sys.argv[1:] = verb
    watch = Watch()
    watch.put_on()
    try:
        cli.main()
    finally:
        Path(figures).write_text(json.dumps(asdict(watch.busy)))


if __name__ == "__main__":
    main(sys.argv[1:])

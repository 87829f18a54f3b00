"""Where several guards share a queue: a message is handed over only while it is this guard's.

A guard that has lost touch with the store is taken for dead after a while, and the others go on with what it
had in hand. Before that, it must let go: a message that is not handed over whole by then stays here, and one
that nobody was offered is offered to nobody.
"""

import asyncio
from collections.abc import Sequence

from mailguard.core.delivery import Outcome, all_later
from mailguard.core.hold import Claimed
from mailguard.ports import Clock, Holding, Log, NotOffered, Relay

_REPLY = "4.3.0 The guard lost touch with its store"


class WhileHeld:
    """ports.Relay around another one."""

    def __init__(self, relay: Relay, *, holding: Holding, clock: Clock, log: Log) -> None:
        self._relay = relay
        self._holding = holding
        self._clock = clock
        self._log = log

    async def attempt(self, claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        """Try every in-flight recipient once, as long as the message is ours."""
        if self._left(claimed) <= 0:
            return self._let_go(claimed, offered=False)
        attempt = asyncio.ensure_future(self._relay.attempt(claimed, content))
        try:
            # The lease is renewed meanwhile.
            while not attempt.done() and (left := self._left(claimed)) > 0:
                await asyncio.wait({attempt}, timeout=left)
        except asyncio.CancelledError:
            attempt.cancel()
            # What it raises tells whether the message was offered.
            await attempt
            raise
        if attempt.done():
            return attempt.result()
        attempt.cancel()
        try:
            return await attempt
        except NotOffered:
            return self._let_go(claimed, offered=False)
        except asyncio.CancelledError:
            return self._let_go(claimed, offered=True)

    async def close(self) -> None:
        """Say goodbye to the upstream."""
        await self._relay.close()

    def _left(self, claimed: Claimed) -> float:
        return self._holding.holds_until(claimed.message.id) - self._clock.monotonic()

    def _let_go(self, claimed: Claimed, *, offered: bool) -> Sequence[Outcome]:
        self._log.trouble("let_go", id=claimed.message.id, offered=offered)
        return all_later(claimed.message, _REPLY, ambiguous=offered)

"""The use cases on a real store, with the real relay and a clock that a test moves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from mailguard.core import view
from mailguard.core.hold import HeldMessage
from mailguard.edge.smtp_out import SmtpRelay, UpstreamOptions
from tests.flow.parts import Parts, opened
from tests.upstreams import ScriptedRelay

# A server on this machine that has said nothing for so long will say nothing any more.
SHORT = timedelta(seconds=0.4)


@dataclass
class Joined:
    """The parts, and what a person is shown of a message."""

    parts: Parts

    async def find(self, message: str) -> HeldMessage:
        """The message as it stands."""
        return await self.parts.store.find(message)

    async def shown(self, message: str) -> str:
        """Everything that `show` says of it, as text."""
        found = await self.find(message)
        events = [view.event(event) for event in await self.parts.store.events(found.id)]
        return f"{view.message(found)} {events}"


@asynccontextmanager
async def joined(directory: Path, port: int, **changes: Any) -> AsyncIterator[Joined]:
    """Joined to the upstream on this port of 127.0.0.1; its timeouts are short."""
    options = UpstreamOptions(
        **{
            "host": "127.0.0.1",
            "port": port,
            "hostname": "guard.corp.example",
            "tls": "none",
            "connect_timeout": SHORT,
            "command_timeout": SHORT,
            "block_timeout": SHORT,
            "data_timeout": SHORT,
            "first_pause": timedelta(0),
            **changes,
        }
    )
    relay = SmtpRelay(options)
    try:
        # Where parts have a script in other tests, here they have the real thing.
        async with opened(directory, cast(ScriptedRelay, relay)) as parts:
            yield Joined(parts)
    finally:
        await relay.close()

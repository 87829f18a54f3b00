"""Looks through the shared list for messages that fit, so many of them at a time. Changes nothing."""

import asyncio
from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from mailguard.core.hold import HeldMessage
from mailguard.edge.store.postgres import columns
from mailguard.edge.store.postgres.queries import PARTS, UNFINISHED, asked_for, owned, place, stretch
from mailguard.ports import Found, Log, Search

Connection = AsyncConnection[tuple[Any, ...]]

# So many are looked at in one statement, and so many in one search.
CHUNK = 500
MOST = 20_000


async def search(connection: Connection, wanted: Search, log: Log) -> Found:
    """The first messages that fit. Raises NoSuchMessage where the one to look on after is forgotten."""
    states, whose = wanted.states or UNFINISHED, asked_for(wanted.owner)
    first, start = await place(connection, wanted.after)
    found: list[HeldMessage] = []
    looked, last = 0, ""
    for part in PARTS[first:]:
        key, start = start or part.start, None
        while states & part.states:
            chunk = await stretch(connection, part, states & part.states, whose, key, CHUNK)
            # Thousands of messages are read: not on the event loop.
            fitting = await asyncio.to_thread(_fitting, wanted, chunk, log)
            for one in chunk:
                message_id = one[1 + columns.ID]
                # Only where there is one more than wanted, there is something to look on for.
                if looked >= MOST or (len(found) >= wanted.limit and message_id in fitting):
                    return Found(messages=found, after=last)
                looked, last, key = looked + 1, message_id, (one[0], one[1 + columns.NUMBER])
                found += [fitting[message_id]] if message_id in fitting else []
            if len(chunk) < CHUNK:
                break
    return Found(messages=found)


def _fitting(wanted: Search, chunk: Sequence[Sequence[Any]], log: Log) -> dict[str, HeldMessage]:
    text = _lower(wanted.text)
    read = columns.readable([row[1:] for row in chunk], log)
    return {one.id: one for one in read if owned(wanted.owner, one) and _fits(wanted, text, one)}


def _fits(wanted: Search, text: str, message: HeldMessage) -> bool:
    if wanted.rule and wanted.rule not in message.rules:
        return False
    if wanted.finding and all(finding.check != wanted.finding for finding in message.findings):
        return False
    if not text or message.id.startswith(text):
        return True
    places = (message.subject, message.sender, *(one.address for one in message.recipients))
    return any(text in _lower(one) for one in places)


def _lower(text: str) -> str:
    # As the other store has it: the case of ASCII only.
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)

"""The guards that share a queue: who they are, how it stands with each, and whether their rules agree."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from mailguard.core.errors import StoreError
from mailguard.edge.store.postgres.database import SharedDatabase
from mailguard.edge.store.postgres.lease import Lease
from mailguard.ports import Node

Connection = AsyncConnection[tuple[Any, ...]]

# A guard whose lease was over goes on under a new one: it is one guard, and its latest lease tells how it is.
# Those that are gone are shown for an hour, as long as they are known at the least.
_NODES = """
    SELECT DISTINCT ON (name) name, host(address), since, lease_until - length,
        lease_until > clock_timestamp(),
        (SELECT count(*) FROM message JOIN node AS lease ON lease.id = message.owner
            WHERE message.state = 'relaying' AND lease.name = node.name)
    FROM node WHERE lease_until > clock_timestamp() - interval '1 hour'
    ORDER BY name, lease_until DESC
"""


async def nodes(connection: Connection) -> Sequence[Node]:
    """All of them, by name."""
    asked = await connection.execute(_NODES)
    return [
        Node(name=name, address=address, since=since, heard=heard, alive=alive, in_hand=in_hand)
        for name, address, since, heard, alive, in_hand in await asked.fetchall()
    ]


class Nodes:
    """The guards that share the queue, as they tell of themselves with their leases."""

    def __init__(self, database: SharedDatabase, lease: Lease) -> None:
        self._database = database
        self._lease = lease
        self._others: list[str] = []

    async def look(self, next_due: datetime | None) -> None:
        """Be among them, and see who has other rules than this guard; every few seconds."""
        try:
            # Also a guard that has had nothing to send yet.
            await self._lease.owner()
            self._others = await self._database.read(_other_rules, self._lease.rules)
        except StoreError:
            return

    def told(self) -> str | None:
        """Which guards go by other rules; None where all agree."""
        if not self._others:
            return None
        others = ", ".join(self._others)
        return (
            f"the guards of this queue have different rules ({others}); give all of them the same rules.toml"
        )

    def refuses(self) -> bool:
        """Never: mail is taken all the same."""
        return False


async def _other_rules(connection: Connection, rules: str) -> list[str]:
    asked = await connection.execute(
        "SELECT name FROM node WHERE lease_until > clock_timestamp() AND rules <> %s ORDER BY name", (rules,)
    )
    return [name for (name,) in await asked.fetchall()]

"""Numbers for new messages, which a guard takes from the database by the block."""

from typing import Any

from psycopg import AsyncConnection

# As the sequence counts (migrations/postgres/0001): a block for each of its numbers.
BLOCK = 64


class Numbers:
    """They grow within one guard; between guards they only differ."""

    def __init__(self) -> None:
        self._free: list[range] = []

    async def need(self, connection: AsyncConnection[tuple[Any, ...]], count: int) -> None:
        """See that so many can be taken."""
        # Another lane may take some while this one waits.
        while (missing := count - sum(map(len, self._free))) > 0:
            found = await connection.execute(
                "SELECT nextval('message_number') FROM generate_series(1, %s)", (-(-missing // BLOCK),)
            )
            # They are the guard's, also where the transaction comes to nothing.
            self._free += [range(first, first + BLOCK) for (first,) in await found.fetchall()]

    def take(self) -> int:
        """The next one."""
        block = self._free[0]
        self._free[0] = block[1:]
        if len(block) == 1:
            del self._free[0]
        return block[0]

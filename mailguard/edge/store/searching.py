"""Looks through the list for messages that fit, a bounded number of them at a time. Changes nothing."""

import sqlite3
from collections.abc import Sequence

from mailguard.edge.store.bulk import listed
from mailguard.edge.store.queries import PARTS, UNFINISHED, Key, by_number, keys_of, place, readable
from mailguard.ports import Found, Log, Search

# So many are looked at in one statement, and so many in one search: some 50 ms, in which nobody can write.
CHUNK = 500
MOST = 20_000

_FITTING = """
    SELECT n FROM message
    WHERE n IN (SELECT value FROM json_each(:numbers))
        AND (:login IS NULL OR user = :login OR (user IS NULL AND :anonymous)
            OR sender_key IN (SELECT value FROM json_each(:addresses)))
        AND (:rule = '' OR EXISTS (SELECT 1 FROM json_each(rules) AS r WHERE r.value = :rule))
        AND (:finding = '' OR EXISTS (
            SELECT 1 FROM json_each(findings) AS f WHERE json_extract(f.value, '$.check') = :finding))
        AND (:text = '' OR instr(lower(subject), :text) OR instr(lower(sender), :text)
            OR substr(id, 1, length(:text)) = :text
            OR EXISTS (SELECT 1 FROM recipient WHERE message = message.n AND instr(lower(address), :text)))
"""


def search(connection: sqlite3.Connection, wanted: Search, log: Log) -> Found:
    """The first messages that fit. Raises NoSuchMessage where the one to look on after is forgotten."""
    states = wanted.states or UNFINISHED
    first, start = place(connection, wanted.after)
    numbers: list[int] = []
    looked, last = 0, 0
    for part in PARTS[first:]:
        key, start = start or part.start, None
        while states & part.states:
            chunk = keys_of(connection, part, states & part.states, key, CHUNK, owner=wanted.owner)
            fitting = _fitting(connection, wanted, chunk)
            for at, number in chunk:
                # Only where there is one more than wanted, there is something to look on for.
                full = len(numbers) >= wanted.limit
                if looked >= MOST or (full and number in fitting):
                    return _found(connection, numbers, last, log)
                looked, last, key = looked + 1, number, (at, number)
                numbers += [number] if number in fitting else []
            if len(chunk) < CHUNK:
                break
    return _found(connection, numbers, None, log)


def _fitting(connection: sqlite3.Connection, wanted: Search, chunk: Sequence[Key]) -> frozenset[int]:
    owner = wanted.owner
    values: dict[str, str | int | None] = {
        "numbers": listed([number for _, number in chunk]),
        "login": None if owner is None else owner.login,
        "anonymous": int(owner is not None and owner.anonymous),
        "addresses": listed(sorted(owner.addresses) if owner else []),
        "rule": wanted.rule,
        "finding": wanted.finding,
        # As lower() has it there: SQLite knows the case of ASCII only.
        "text": "".join(one.lower() if one.isascii() else one for one in wanted.text),
    }
    return frozenset(number for (number,) in connection.execute(_FITTING, values).fetchall())


def _found(connection: sqlite3.Connection, numbers: Sequence[int], last: int | None, log: Log) -> Found:
    after: str | None = None
    if last is not None:
        (after,) = connection.execute("SELECT id FROM message WHERE n = ?", (last,)).fetchone()
    return Found(messages=readable(by_number(connection, numbers), log), after=after)

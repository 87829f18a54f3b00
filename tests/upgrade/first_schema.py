"""Makes a database as the first mailguard left it, with every kind of row, by statements of its own.

The statements are those of that time and stay as they are: no code of today has a part in it.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

# The file of that time, with its checksum; a released file is never changed.
SCHEMA = Path(__file__).parents[2] / "mailguard/edge/store/migrations/sqlite/0001_queue_and_memory.sql"
CHECKSUM = "1937bedb94de0d4c91677cbd3fbd9dacf0cffbb4ed554e905342b25a0baa95bb"

STATES = (
    *("held", "frozen", "confirm", "approval", "queued", "relaying"),
    *("sent", "cancelled", "rejected", "expired", "failed"),
)
FINISHED = STATES[6:]
RECEIVED = "2026-11-22T10:00:00.000000Z"
DUE = "2026-11-22T10:05:03.000000Z"
TOLD = "2026-11-22T10:05:00.000000Z"
ENDED = "2026-11-22T10:06:00.000000Z"
LATER = "2026-11-24T10:00:00.000000Z"
BODY = b"From: a@corp.example\r\nMessage-ID: <%d@corp.example>\r\n\r\nNot for all: \xe9\x00.\r\n"

_FINDINGS = json.dumps(
    [
        {
            "check": "stranger_in_thread",
            "severity": "warning",
            "recipient": "b@client.example",
            "parameters": {"thread": "3"},
        }
    ]
)
_PARAMETERS = json.dumps(
    {"body": "8BITMIME", "smtputf8": True, "ret": "HDRS", "envid": "x", "hold_until": DUE}
)


def id_of(state: str) -> str:
    """The id of the message in this state."""
    return f"k7fm2xqp9d{STATES.index(state):02}"


def make(path: Path) -> None:
    """The database, closed by a guard that ended well."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.executescript(SCHEMA.read_text("utf-8"))
        connection.execute(
            "CREATE TABLE schema_version (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
            " checksum TEXT NOT NULL, at TEXT NOT NULL)"
        )
        connection.execute(
            "INSERT INTO schema_version VALUES (1, 'queue_and_memory', ?, '2026-11-01T08:00:00+00:00')",
            (CHECKSUM,),
        )
        for number, state in enumerate(STATES, start=1):
            _message(connection, number, state)
        _memory(connection)


def _message(connection: sqlite3.Connection, number: int, state: str) -> None:
    finished = state in FINISHED
    waits = state in ("confirm", "approval")
    gate = {"confirm": "confirm", "approval": "approve"}.get(state, "none")
    kept = not finished or state == "cancelled"
    connection.execute(
        """
        INSERT INTO message (n, id, version, state, next_due, leaves_at, done_at, gate, expires_at, frozen_at,
            finished_at, body_kept, received_at, sender, sender_key, user, peer, helo, protocol, parameters,
            subject, message_id, size, action, rules, findings, approvers, margin_us, undo_us, expire_us)
        VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'A@Corp.Example', 'a@corp.example', ?, '127.0.0.1',
            'laptop', 'ESMTPSA', ?, 'Coût', ?, ?, ?, '["external","press"]', ?, ?, 3000000, 604800000000,
            172800000000)
        """,
        (
            number,
            id_of(state),
            state,
            DUE if state in ("held", "queued") else None,
            None if finished or waits or state == "frozen" else DUE,
            ENDED if finished else None,
            gate,
            LATER if waits or state == "frozen" else None,
            RECEIVED if state == "frozen" else None,
            ENDED if finished else None,
            int(kept),
            RECEIVED,
            None if state == "queued" else "a",
            _PARAMETERS if state == "held" else "{}",
            f"<{number}@corp.example>",
            len(BODY % number),
            "delay" if gate == "none" else gate,
            _FINDINGS if state == "held" else "[]",
            '["boss@corp.example"]' if waits else "[]",
        ),
    )
    _around(connection, number, state, kept=kept)


def _around(connection: sqlite3.Connection, number: int, state: str, *, kept: bool) -> None:
    """The rows that belong to a message: recipients, bytes, history."""
    for place in range(2):
        _recipient(connection, number, place, state)
    if kept:
        connection.execute("INSERT INTO body (message, content) VALUES (?, ?)", (number, BODY % number))
    for version, event in enumerate(("received", "extend")):
        connection.execute(
            "INSERT INTO event (message, version, at, event, by, detail) VALUES (?, ?, ?, ?, 'a', ?)",
            (number, version, RECEIVED, event, json.dumps({"peer": "127.0.0.1", "version": version})),
        )


_RECIPIENT_STATES = {
    "sent": "sent",
    "failed": "failed",
    "cancelled": "dropped",
    "rejected": "dropped",
    "expired": "dropped",
    "queued": "deferred",
}


def _recipient(connection: sqlite3.Connection, number: int, place: int, state: str) -> None:
    gated = state in ("confirm", "approval")
    there = _RECIPIENT_STATES.get(state, "waiting")
    connection.execute(
        """
        INSERT INTO recipient (message, place, address, external, state, notify, orcpt, delay_us, gated,
            release_at, due_at, in_flight, attempts, first_try_at, reply, maybe_sent, sent_at, dropped_at)
        VALUES (?, ?, ?, 1, ?, 'FAILURE', 'rfc822;b', 300000000, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            number,
            place,
            f"b{place}@client.example",
            there,
            int(gated),
            None if gated else TOLD,
            None if gated or state in FINISHED else DUE,
            int(state == "relaying"),
            int(there in ("deferred", "sent", "failed") or state == "relaying"),
            TOLD if there in ("deferred", "sent", "failed") else None,
            "451 4.3.0 Later" if there == "deferred" else None,
            int(there == "deferred"),
            ENDED if there == "sent" else None,
            ENDED if state == "cancelled" else None,
        ),
    )


def _memory(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO thread (n, parent, messages) VALUES (1, NULL, 2), (2, 1, 1)")
    connection.execute("INSERT INTO thread_message (digest, thread) VALUES (-5, 1), (77, 2)")
    connection.execute("INSERT INTO participant (thread, address) VALUES (1, 'b@client.example')")

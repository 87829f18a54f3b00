"""Messages as rows: what PostgreSQL's text cannot hold, and rows that are not ours."""

import pytest

from mailguard.edge.store.postgres import columns
from mailguard.edge.store.postgres.columns import Values
from tests.edge.store.samples import RecordingLog
from tests.making import message


def row(values: Values) -> Values:
    """What would be read of what is written."""
    message_id, version, state, _, _, _, _, _, body_kept, _, _, size, document = values
    return (message_id, version, state, body_kept, document, 1, size)


@pytest.mark.parametrize("subject", ["plain", "Grüße", "half \udce9 a pair", "a \0 in it", "snow ☃ man"])
def test_every_text_is_plain_ascii_in_the_database(subject: str) -> None:
    held = message(subject=subject)
    written = columns.columns(held)
    assert str(written[-1]).isascii()
    assert "\0" not in written[-1]
    back = columns.message(row(written))
    assert back.subject.encode("utf-8", "replace") == subject.encode("utf-8", "replace")


def test_the_columns_go_before_the_document() -> None:
    message_id, _, _, _, document, number, size = row(columns.columns(message()))
    held = columns.message((message_id, 7, "frozen", False, document, number, size))
    assert (held.version, held.state.value, held.body_kept) == (7, "frozen", False)


def test_a_row_that_cannot_be_read_hides_no_other() -> None:
    good = row(columns.columns(message()))
    log = RecordingLog()
    broken = [(*good[:4], document, *good[5:]) for document in ("", "[]", "[1, 2]", "{}")]
    found = columns.readable([*broken, good, (*good[:2], "beamed", *good[3:])], log)
    assert found == [message()]


def test_a_sender_is_found_in_every_spelling() -> None:
    assert "a@corp.example" in columns.columns(message(sender="A@Corp.Example"))

"""Many rows by one statement: all of them, in their order, by few statements."""

import sqlite3

import pytest

from mailguard.edge.store.bulk import Row, RowsStatement, listed

INSERT = RowsStatement(head="INSERT INTO t (a, b) VALUES", width=2)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 31, 64, 65, 200])
def test_all_rows_in_their_order_by_few_statements(count: int) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, a, b)")
    ran: list[str] = []
    connection.set_trace_callback(ran.append)
    rows: list[Row] = [(number, b"\x00" if number % 2 else None) for number in range(count)]
    INSERT.run(connection, rows)
    connection.set_trace_callback(None)
    assert connection.execute("SELECT a, b FROM t ORDER BY n").fetchall() == rows
    assert len(ran) <= 9
    connection.close()


def test_a_list_is_one_parameter() -> None:
    connection = sqlite3.connect(":memory:")
    for values in ([], [1, -(2**62)], ["a", "'; --", "é\x00"]):
        found = connection.execute("SELECT value FROM json_each(?)", (listed(values),)).fetchall()
        assert [value for (value,) in found][:2] == list(values)[:2]
    connection.close()

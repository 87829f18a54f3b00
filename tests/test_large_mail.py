"""Large mail over slow lines, all at once: the memory keeps to its bound, and small mail goes on."""

from pathlib import Path

import pytest

from tests.benchmarks.slow import measure
from tests.slices import rounds


@pytest.mark.slow
def test_large_messages_do_not_fill_the_memory(tmp_path: Path) -> None:
    senders, size, budget = rounds(60, slice_of=12), 10_000_000, 32 << 20
    figures = measure(tmp_path, senders, size, 4_000_000, budget)
    assert figures.taken + figures.put_off == senders
    assert figures.taken >= 3
    # All of them in memory would be four to eighteen times as much as the budget. SQLite has 32 MB of the
    # file.
    assert figures.memory_highest - figures.memory_before < (budget >> 20) + 60
    # Other work shares the machine; it is a few milliseconds where none does.
    assert figures.small_p50 < 500

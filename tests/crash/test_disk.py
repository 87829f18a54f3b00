"""The model of a disk keeps what was synced, and may lose or tear all that was not."""

from random import Random

import pytest

from tests.crash.disk import (
    PAGE,
    SECTOR,
    Create,
    Disk,
    Operation,
    Remove,
    Rename,
    Sync,
    SyncDirectory,
    Truncate,
    Write,
)

OLD, NEW = b"o" * 2048, b"n" * 2048


def disk_after(*operations: Operation) -> Disk:
    disk = Disk()
    for operation in operations:
        disk.do(operation)
    return disk


MADE = (Create("q"), Write("q", 0, OLD), Sync("q"), SyncDirectory())


def test_what_was_synced_is_there_whatever_comes_later() -> None:
    disk = disk_after(*MADE)
    assert disk.nothing_unsynced() == disk.everything() == {"q": OLD}
    assert all(disk.something(Random(seed), SECTOR) == {"q": OLD} for seed in range(20))


def test_what_was_not_synced_need_not_be_there() -> None:
    disk = disk_after(*MADE, Write("q", 0, NEW), Write("q", 2048, b"more"))
    assert disk.nothing_unsynced() == {"q": OLD}
    assert disk.everything() == {"q": NEW + b"more"}


def test_the_sync_of_a_file_does_not_save_its_name() -> None:
    assert disk_after(*MADE[:3]).nothing_unsynced() == {}


def test_the_sync_of_a_directory_does_not_save_a_file() -> None:
    assert disk_after(Create("q"), Write("q", 0, OLD), SyncDirectory()).nothing_unsynced() == {"q": b""}


def test_a_write_is_torn_between_sectors_and_never_within_one() -> None:
    disk = disk_after(*MADE, Write("q", 0, NEW))
    seen = {disk.something(Random(seed), SECTOR)["q"] for seed in range(200)}
    assert len(seen) == 2**4
    for image in seen:
        assert all(len(set(image[start : start + SECTOR])) == 1 for start in range(0, 2048, SECTOR))


def test_sectors_are_those_of_the_file_not_of_the_write() -> None:
    disk = disk_after(*MADE, Write("q", 500, b"n" * 24))
    seen = {disk.something(Random(seed), SECTOR)["q"][500:524] for seed in range(100)}
    assert seen == {first + second for first in (b"o" * 12, b"n" * 12) for second in (b"o" * 12, b"n" * 12)}


def test_with_pages_a_page_is_there_or_not() -> None:
    disk = disk_after(*MADE, Write("q", 0, NEW))
    assert {disk.something(Random(seed), PAGE)["q"] for seed in range(50)} == {OLD, NEW}


def test_a_sector_holds_one_of_its_versions_in_their_order() -> None:
    disk = disk_after(*MADE, Write("q", 0, b"1"), Write("q", 1, b"2"))
    assert {disk.something(Random(seed), SECTOR)["q"][:2] for seed in range(50)} == {b"oo", b"1o", b"12"}


def test_a_hole_reads_as_zeros() -> None:
    disk = disk_after(Create("q"), SyncDirectory(), Write("q", 0, b"a" * SECTOR), Write("q", SECTOR, b"b"))
    assert bytes(SECTOR) + b"b" in {disk.something(Random(seed), SECTOR)["q"] for seed in range(50)}


def test_a_truncation_may_be_lost() -> None:
    disk = disk_after(*MADE, Truncate("q", 3))
    assert disk.everything() == {"q": b"ooo"}
    assert {disk.something(Random(seed), SECTOR)["q"] for seed in range(50)} == {OLD, b"ooo"}
    disk.do(Sync("q"))
    assert disk.nothing_unsynced() == {"q": b"ooo"}


def test_a_removed_file_may_come_back_with_what_it_had() -> None:
    disk = disk_after(*MADE, Remove("q"), Create("q"))
    assert disk.nothing_unsynced() == {"q": OLD}
    assert disk.everything() == {"q": b""}
    seen = [disk.something(Random(seed), SECTOR) for seed in range(50)]
    assert [image in seen for image in ({"q": OLD}, {}, {"q": b""})] == [True] * 3


def test_a_rename_is_sure_after_the_sync_of_the_directory() -> None:
    disk = disk_after(*MADE, Rename("q", "r"))
    assert (disk.nothing_unsynced(), disk.everything()) == ({"q": OLD}, {"r": OLD})
    disk.do(SyncDirectory())
    assert disk.nothing_unsynced() == {"r": OLD}


def test_what_is_not_there_cannot_be_written() -> None:
    with pytest.raises(KeyError):
        Disk().do(Write("q", 0, b"x"))

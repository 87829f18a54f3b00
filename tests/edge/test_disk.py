"""The room on the disk: a bound that fits it, and a reserve that is given up and made again."""

from pathlib import Path

import pytest

from mailguard.edge import disk
from mailguard.edge.disk import MIB, Room
from tests.upstreams import Lines


def room(directory: Path, largest: int = MIB) -> tuple[Room, Lines]:
    log = Lines()
    return Room(directory, largest=largest, log=log), log


def with_free(monkeypatch: pytest.MonkeyPatch, made: Room, free: int) -> None:
    """As if the disk had so much room left."""
    monkeypatch.setattr(type(made), "free", property(lambda _: free))


def test_the_reserve_takes_room_and_gives_it_back(tmp_path: Path) -> None:
    made, log = room(tmp_path)
    assert made.reserve == MIB + disk.OVERHEAD
    assert made.keep()
    assert made.keep()
    status = (tmp_path / "reserve").stat()
    assert status.st_size == made.reserve
    assert status.st_blocks * 512 >= made.reserve, "a hole keeps no room"
    assert status.st_mode & 0o777 == 0o600
    assert made.give_up()
    assert not made.give_up()
    assert not (tmp_path / "reserve").exists()
    assert log.names == ["disk_reserve_made", "disk_reserve_used"]


def test_the_reserve_never_takes_what_new_mail_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = room(tmp_path)
    with_free(monkeypatch, made, made.reserve + made.bound - 1)
    assert not made.keep()
    with_free(monkeypatch, made, made.reserve + made.bound)
    assert made.keep()


def test_the_bound_fits_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = room(tmp_path, 25 * MIB)
    assert made.bound == 25 * MIB * 3 // 2 + disk.OVERHEAD
    # Of a disk that is small for such messages, an eighth each.
    monkeypatch.setattr(disk, "PART", 10**9)
    small, _ = room(tmp_path, 25 * MIB)
    assert (small.bound, small.reserve) == (disk.SMALLEST, disk.SMALLEST)


async def test_a_shortage_is_told_once_and_so_is_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, log = room(tmp_path)
    made.keep()
    with_free(monkeypatch, made, made.bound - 1)
    for _ in range(3):
        await made.look(None)
    told = made.told()
    assert told is not None
    assert str(tmp_path) in told
    assert "make room" in told
    with_free(monkeypatch, made, made.bound)
    await made.look(None)
    assert made.told() is None
    assert log.names == ["disk_reserve_made", "disk_nearly_full", "disk_has_room"]

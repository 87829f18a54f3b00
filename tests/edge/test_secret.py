"""The guard's one secret: made once, read by its owner only, and told to nobody."""

import stat
from pathlib import Path

import pytest

from mailguard.core.errors import StoreError
from mailguard.edge.secret import KEY_FILE, LENGTH, Secret, adopt, key_or_new


def test_it_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = Secret.open(tmp_path)
    file = tmp_path / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_bytes()) == LENGTH
    assert Secret.open(tmp_path).derive("x") == first.derive("x")
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_each_purpose_has_a_key_of_its_own(tmp_path: Path) -> None:
    secret = Secret.open(tmp_path)
    key = (tmp_path / KEY_FILE).read_bytes()
    keys = {secret.derive("memory"), secret.derive("links"), key}
    assert len(keys) == 3
    assert {len(one) for one in keys} == {32}


def test_it_is_in_no_repr(tmp_path: Path) -> None:
    secret = Secret.open(tmp_path)
    assert (tmp_path / KEY_FILE).read_bytes().hex() not in f"{secret!r} {secret}"
    assert repr(secret) == "Secret()"


def test_what_is_no_key_is_not_used(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(StoreError, match="restore it from a backup"):
        Secret.open(tmp_path)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot use"):
        Secret.open(tmp_path / "nowhere")


def test_guards_that_share_a_queue_share_the_key(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for place in (one, two):
        place.mkdir()
    offered = key_or_new(one)
    # Only offered, not kept: the database may have one already.
    assert not (one / KEY_FILE).exists()
    for place in (one, two):
        adopt(place, offered, "db/mail")
        adopt(place, offered, "db/mail")
        assert key_or_new(place) == offered
    assert Secret.open(one).derive("x") == Secret.open(two).derive("x")
    assert (one / KEY_FILE).stat().st_mode & 0o777 == 0o600
    with pytest.raises(StoreError, match="not the key of db/other"):
        adopt(one, key_or_new(tmp_path), "db/other")
    assert key_or_new(one) == offered

"""The users file: who gets in, what a broken line does, and how it is changed."""

import asyncio
import os
import stat
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import bcrypt
import pytest
from argon2 import PasswordHasher

from mailguard.core.account import Account
from mailguard.core.errors import ConfigurationError
from mailguard.edge import accounts
from mailguard.edge.accounts import (
    LoginExists,
    UnknownLogin,
    UsersFile,
    add_user,
    read_users,
    remove_user,
    set_password,
    verify,
)
from tests.clocks import FakeClock
from tests.upstreams import Lines

# Cheap ones, for the tests' sake.
ARGON = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("one")
BCRYPT = bcrypt.hashpw(b"two", bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")

FILE = f"""# The logins.

ann@corp.example:{ARGON}
bob:{BCRYPT}:bob@corp.example, news-*@corp.example,@lists.example
carl:{BCRYPT}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "users"
    file.write_text(FILE)
    return file


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def log() -> Lines:
    return Lines()


@pytest.fixture
def users(path: Path, clock: FakeClock, log: Lines) -> Iterator[UsersFile]:
    opened = UsersFile(path, clock=clock, log=log)
    yield opened
    opened.close()


async def test_argon2_and_the_bcrypt_of_htpasswd(users: UsersFile) -> None:
    assert await users.authenticate("ann@corp.example", "one") == Account(
        login="ann@corp.example", addresses=("ann@corp.example",)
    )
    assert await users.authenticate("bob", "two") == Account(
        login="bob", addresses=("bob@corp.example", "news-*@corp.example", "@lists.example")
    )
    assert await users.authenticate("carl", "two") == Account(login="carl", addresses=())
    for login, password in (
        ("ann@corp.example", "two"),
        ("bob", ""),
        ("eve", "one"),
        ("", ""),
        ("# The logins.", ""),
    ):
        assert await users.authenticate(login, password) is None


async def test_an_account_without_a_password(users: UsersFile) -> None:
    assert await users.account("carl") == Account(login="carl", addresses=())
    assert await users.account("eve") is None


async def test_a_missing_file_has_no_logins_and_may_come_later(path: Path, users: UsersFile) -> None:
    path.unlink()
    assert await users.authenticate("bob", "two") is None
    assert await users.account("bob") is None
    path.write_text(FILE)
    assert await users.authenticate("bob", "two")


async def test_a_changed_file_counts_at_once(path: Path, users: UsersFile) -> None:
    assert await users.authenticate("bob", "two")
    set_password(path, "bob", "three")
    assert await users.authenticate("bob", "two") is None
    assert await users.authenticate("bob", "three")
    remove_user(path, "bob")
    assert await users.authenticate("bob", "three") is None


async def test_a_broken_line_is_told_and_locks_nobody_else_out(
    path: Path, users: UsersFile, log: Lines
) -> None:
    broken = [
        "no colon",
        ":x",
        "plain:password",
        "old:$apr1$x$y",
        f"dora:{BCRYPT}:not-an-address",
        f"dora:{BCRYPT}:a@*.corp.example",
        f"bob:{ARGON}",
    ]
    path.write_text(FILE + "\n".join(broken))
    assert await users.authenticate("bob", "two")
    faults = read_users(path).faults
    assert [fault.line for fault in faults] == [6, 7, 8, 9, 10, 11, 12]
    assert {fault.file for fault in faults} == {str(path)}
    assert "already" in str(faults[-1])
    assert [name for name, _ in log.lines] == ["users_fault"] * 7
    for secret in ("password", "$2y$", "$argon2"):
        assert secret not in repr([fault.problem for fault in faults]).replace("the password of", "")


async def test_any_bytes_may_be_in_the_file(path: Path, users: UsersFile) -> None:
    path.write_bytes(b"# caf\xe9 \x85 \x00\n" + FILE.encode() + b"\xff\xfe:x\n")
    assert await users.authenticate("bob", "two")
    set_password(path, "bob", "three")
    assert path.read_bytes().startswith(b"# caf\xe9 \x85 \x00\n# The logins.\n\nann@")


async def test_a_file_that_cannot_be_read_leaves_the_logins_as_they_were(
    path: Path, users: UsersFile, log: Lines
) -> None:
    assert await users.account("bob")
    path.unlink()
    path.mkdir()
    assert await users.account("bob")
    assert [name for name, _ in log.lines] == ["users_not_read"]


async def test_a_guess_costs_as_much_whether_the_login_is_known_or_not(
    users: UsersFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def count(password_hash: str, password: str) -> bool:
        checked.append(password_hash)
        return verify(password_hash, password)

    monkeypatch.setattr(accounts, "verify", count)
    for login in ("bob", "eve", "eve", "mallory"):
        assert await users.authenticate(login, "two" if login != "bob" else "x") is None
    assert checked[0] == BCRYPT
    assert checked[1] == checked[2]
    assert set(checked) <= {ARGON, BCRYPT}
    assert len(checked) == 4


async def test_a_good_password_is_known_for_a_while(
    path: Path, users: UsersFile, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await users.authenticate("bob", "two")
    with monkeypatch.context() as patch:
        patch.setattr(accounts, "verify", lambda *_: pytest.fail("it was looked at again"))
        assert await users.authenticate("bob", "two")
    assert await users.authenticate("bob", "three") is None
    with monkeypatch.context() as patch:
        patch.setattr(accounts, "verify", lambda *_: False)
        await clock.advance(timedelta(seconds=61))
        assert await users.authenticate("bob", "two") is None
    assert "two" not in repr(vars(users))


async def test_no_more_passwords_are_known_than_there_is_room_for(
    users: UsersFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "MOST_REMEMBERED", 1)
    assert await users.authenticate("bob", "two")
    assert await users.authenticate("carl", "two")
    monkeypatch.setattr(accounts, "verify", lambda *_: False)
    assert await users.authenticate("carl", "two")
    assert await users.authenticate("bob", "two") is None


async def test_checking_passwords_does_not_stop_the_loop(path: Path, users: UsersFile) -> None:
    set_password(path, "bob", "two")
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticking = asyncio.create_task(tick())
    started = time.monotonic()
    await asyncio.gather(*(users.authenticate("bob", f"x{n}") for n in range(3)))
    ticking.cancel()
    assert ticks >= (time.monotonic() - started) / 0.05


@pytest.mark.parametrize("odd", ["x" * 2000, "\x00", "\ud800", "é" * 40])
async def test_odd_passwords_are_wrong_ones(users: UsersFile, odd: str) -> None:
    assert await users.authenticate("bob", odd) is None
    assert await users.authenticate("ann@corp.example", odd) is None


def test_a_hash_that_makes_no_sense_fits_nothing() -> None:
    for nonsense in ("$argon2id$x", "$2y$", "$2y$99$x", "$argon2id$v=19$m=8,t=1,p=1$x$y"):
        assert not verify(nonsense, "one")


# ---- changing the file


def test_adding_and_removing_keeps_every_other_line(path: Path) -> None:
    add_user(path, "dora", "four", ["dora@corp.example", "@x.example"])
    lines = path.read_text().split("\n")
    assert "\n".join(lines[:5]) + "\n" == FILE
    assert lines[5].startswith("dora:$argon2id$")
    assert lines[5].endswith(":dora@corp.example,@x.example")
    assert verify(read_users(path).by_login["dora"].hash, "four")
    remove_user(path, "dora")
    assert path.read_text() == FILE


def test_a_new_password_keeps_the_addresses(path: Path) -> None:
    set_password(path, "bob", "five")
    user = read_users(path).by_login["bob"]
    assert verify(user.hash, "five")
    assert user.account.addresses == ("bob@corp.example", "news-*@corp.example", "@lists.example")
    assert [line for line in path.read_text().split("\n") if not line.startswith("bob")] == [
        line for line in FILE.split("\n") if not line.startswith("bob")
    ]


def test_a_login_that_is_an_address_needs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "new" / "users"
    add_user(path, "eve@corp.example", "six", [])
    assert read_users(path).by_login["eve@corp.example"].account.addresses == ("eve@corp.example",)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("before", "after"), [(0o644, 0o640), (0o640, 0o640), (0o600, 0o600), (0o666, 0o640)]
)
def test_no_stranger_can_read_the_file(path: Path, before: int, after: int) -> None:
    path.chmod(before)
    set_password(path, "bob", "seven")
    assert stat.S_IMODE(path.stat().st_mode) == after


def test_a_link_to_the_file_stays_one(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    remove_user(link, "bob")
    assert link.is_symlink()
    assert "bob" not in read_users(path).by_login


@pytest.mark.parametrize(
    ("login", "password", "addresses"),
    [
        ("", "x", []),
        ("a:b", "x", []),
        ("a b", "x", []),
        ("a\nb", "x", []),
        ("#a", "x", []),
        ("a", "", []),
        ("a", "x" * 1025, []),
        ("a", "x", ["a"]),
        ("a", "x", ["a@b.example,c@d.example"]),
        ("a", "x", ["a@b.example\nroot:x"]),
        ("a", "x", ["a@b:c"]),
        ("a", "x", ["a@"]),
    ],
)
def test_what_could_not_stand_in_the_file_is_refused(
    path: Path, login: str, password: str, addresses: list[str]
) -> None:
    with pytest.raises(ConfigurationError):
        add_user(path, login, password, addresses)
    assert path.read_text() == FILE


def test_a_login_is_there_once(path: Path) -> None:
    with pytest.raises(LoginExists, match="passwd bob"):
        add_user(path, "bob", "x", [])
    with pytest.raises(UnknownLogin, match="eve"):
        remove_user(path, "eve")
    with pytest.raises(UnknownLogin, match="eve"):
        set_password(path, "eve", "x")
    assert path.read_text() == FILE


def test_a_change_that_fails_leaves_the_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        add_user(path, "dora", "x", [])
    assert path.read_text() == FILE
    assert list(path.parent.iterdir()) == [path]

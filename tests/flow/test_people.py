"""Who somebody is, by the users file."""

from pathlib import Path

from mailguard.core.actor import Actor
from mailguard.edge.accounts import UsersFile, add_user
from mailguard.edge.clock import SystemClock
from mailguard.flow.people import People
from tests.upstreams import Lines

HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"


def people(directory: Path, *lines: str, admins: tuple[str, ...] = ()) -> People:
    path = directory / "users"
    path.write_text("".join(f"{line.replace(':', f':{HASH}:')}\n" for line in lines))
    return People(accounts=UsersFile(path, clock=SystemClock(), log=Lines()), admins=admins)


async def test_two_logins_that_list_an_address_share_it(tmp_path: Path) -> None:
    everybody = people(
        tmp_path,
        "anne:anne@corp.example,Info@corp.example",
        "bob:bob@corp.example,info@CORP.example",
        "carol:@corp.example",
        "dave:inf*@corp.example,dave@corp.example",
    )
    assert (await everybody.of_login("anne")).shared == {"info@corp.example"}
    assert (await everybody.of_login("bob")).shared == {"info@corp.example"}
    # A pattern makes nobody a member, and no mailbox a shared one.
    assert (await everybody.of_login("carol")).shared == frozenset()
    assert (await everybody.of_login("dave")).shared == frozenset()
    assert await everybody.logins_of("INFO@corp.example") == {"anne", "bob"}


async def test_nobody_joins_a_mailbox_by_a_pattern(tmp_path: Path) -> None:
    everybody = people(tmp_path, "anne:info@corp.example", "carol:@corp.example")
    assert (await everybody.of_login("anne")).shared == frozenset()


async def test_a_colleague_who_is_taken_out_of_the_file_is_none_any_more(tmp_path: Path) -> None:
    path = tmp_path / "users"
    for login in ("anne", "bob"):
        add_user(path, login, "a password", ["info@corp.example"])
    everybody = People(accounts=UsersFile(path, clock=SystemClock(), log=Lines()))
    assert (await everybody.of_login("anne")).shared
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "bob" not in line))
    assert not (await everybody.of_login("anne")).shared


async def test_an_admin_is_one_by_login_and_a_login_that_is_gone_owns_nothing(tmp_path: Path) -> None:
    everybody = people(tmp_path, "anne:anne@corp.example", admins=("anne", "ghost"))
    assert (await everybody.of_login("anne")).admin
    assert await everybody.of_login("ghost") == Actor(name="ghost")
    sender = await everybody.of_sender("Anne@corp.example")
    assert sender.account is not None and not sender.admin
    assert sender.account.addresses == ("anne@corp.example",)

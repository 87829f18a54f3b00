"""Whose wrong passwords count against whom, and for how long."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailguard.flow import guessing as module
from mailguard.flow.guessing import MOST_DOUBLINGS, Failures, Guessing, Tried
from tests.clocks import FakeClock
from tests.edge.smtp_in.parts import OPTIONS

FEW = replace(OPTIONS, max_auth_failures_per_ip=3, max_auth_failures_per_login=5)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def guessing(clock: FakeClock) -> Guessing:
    return Guessing(FEW, clock.monotonic)


def test_an_address_has_so_many_guesses_whatever_login_they_are_for(guessing: Guessing) -> None:
    for login in ("ann", "bob", "eve"):
        assert guessing.listens(login, "192.0.2.1")
        guessing.wrong(login, "x", "192.0.2.1")
    assert not guessing.listens("ann", "192.0.2.1")
    assert not guessing.listens("someone else", "192.0.2.1")
    assert guessing.listens("ann", "192.0.2.2")


async def test_the_guesses_are_forgotten(guessing: Guessing, clock: FakeClock) -> None:
    for number in range(3):
        guessing.wrong("ann", f"{number}", "192.0.2.1")
    await clock.advance(timedelta(minutes=9))
    assert not guessing.listens("ann", "192.0.2.1")
    await clock.advance(timedelta(minutes=1))
    assert guessing.listens("ann", "192.0.2.1")


async def test_guesses_from_many_addresses_lock_nobody_out(guessing: Guessing, clock: FakeClock) -> None:
    """However long they go on: who is new has a try, and who was there before is not concerned."""
    guessing.right("ann", "192.0.2.100")
    for hour in range(50):
        for network in (f"198.51.100.{hour}", f"203.0.113.{hour}"):
            guessing.wrong("ann", f"guess {hour} {network}", network)
        await clock.advance(timedelta(minutes=5))
    assert guessing.listens("ann", "192.0.2.1")
    assert not guessing.listens("ann", "198.51.100.49")
    assert guessing.listens("bob", "198.51.100.49")
    for typo in ("one", "two"):
        guessing.wrong("ann", typo, "192.0.2.100")
        assert guessing.listens("ann", "192.0.2.100")
    guessing.wrong("ann", "three", "192.0.2.100")
    assert not guessing.listens("ann", "192.0.2.100")


def test_a_device_with_yesterdays_password_locks_nobody_out(guessing: Guessing) -> None:
    doublings = [guessing.wrong("ann", "yesterday's", "192.0.2.1") for _ in range(100)]
    assert guessing.listens("ann", "192.0.2.1")
    assert guessing.from_network("192.0.2.1") == 1
    assert doublings[:5] == [0, 1, 2, 3, 4]
    assert set(doublings[5:]) == {MOST_DOUBLINGS}


def test_neighbours_behind_one_address(guessing: Guessing) -> None:
    """One of them guesses; who logged in from there before still can, and somebody new cannot for now."""
    guessing.right("ann", "192.0.2.1")
    for number in range(10):
        guessing.wrong("mallory", f"{number}", "192.0.2.1")
    assert guessing.listens("ann", "192.0.2.1")
    assert not guessing.listens("bob", "192.0.2.1")


def test_a_right_password_makes_up_for_its_own_wrong_ones_only(guessing: Guessing) -> None:
    guessing.wrong("ann", "typo", "192.0.2.1")
    guessing.wrong("bob", "guess", "192.0.2.1")
    guessing.wrong("ann", "guess", "198.51.100.1")
    guessing.right("ann", "192.0.2.1")
    assert guessing.from_network("192.0.2.1") == 1
    assert guessing.wrong("ann", "another", "192.0.2.1") == 1
    assert guessing.knows("192.0.2.1")
    assert not guessing.knows("198.51.100.1")


def test_what_was_typed_is_not_kept(guessing: Guessing) -> None:
    guessing.wrong("a password in the wrong field", "secret", "192.0.2.1")
    guessing.right("a password in the wrong field", "192.0.2.1")
    kept = repr([vars(part) for part in vars(guessing).values() if hasattr(part, "__dict__")])
    kept += repr(vars(guessing))
    assert "secret" not in kept
    assert "wrong field" not in kept


def test_no_flood_of_addresses_fills_the_memory(guessing: Guessing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 4)
    for number in range(100):
        guessing.right("ann", f"192.0.2.{number}")
    assert len(guessing._welcome) <= 4
    assert guessing.knows("192.0.2.99")


async def test_wrong_passwords_are_counted_and_forgotten() -> None:
    clock = FakeClock()
    failures = Failures(timedelta(minutes=10), clock.monotonic)
    assert [failures.add("a"), failures.add("a"), failures.add("b")] == [1, 2, 1]
    await clock.advance(timedelta(minutes=9))
    assert failures.add("a") == 3
    await clock.advance(timedelta(minutes=9))
    assert (failures.count("a"), failures.count("b")) == (3, 0)
    failures.forget("a")
    failures.forget("a")
    assert failures.count("a") == 0


def test_no_flood_of_failures_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 3)
    failures = Failures(timedelta(minutes=10), FakeClock().monotonic)
    for key in ("a", "b", "c", "a", "d"):
        failures.add(key)
    assert [failures.count(key) for key in "abcd"] == [2, 0, 1, 1]


def test_two_that_tell_each_other_count_alike(clock: FakeClock) -> None:
    """As the page and SMTP do, where they are in two processes; what is heard is not told on."""
    heard: list[Tried] = []
    other = Guessing(FEW, clock.monotonic, heard.append)

    def tell(tried: Tried) -> None:
        other.hear(tried)

    guessing = Guessing(FEW, clock.monotonic, tell)
    for number in range(2):
        assert guessing.wrong("ann", f"{number}", "192.0.2.1") == number
    assert other.from_network("192.0.2.1") == 2
    assert other.listens("ann", "192.0.2.1")
    guessing.right("ann", "192.0.2.1")
    assert other.knows("192.0.2.1")
    assert other.from_network("192.0.2.1") == 0
    assert heard == []
    other.wrong("ann", "secret", "192.0.2.1")
    assert heard == [Tried(login="ann", password="secret", network="192.0.2.1")]
    assert "secret" not in repr(heard)

"""The rules file: taken whole or not at all, and read again when its content changes."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from mailguard.core.checks import CHECKS
from mailguard.core.errors import ConfigurationError, Fault
from mailguard.core.policy import Policy
from mailguard.edge.config import RulesFile, parse_rules
from mailguard.edge.config.rules_file import POLL_SECONDS, SETTLE_SECONDS, default_rules
from mailguard.ports import Policies
from tests.clocks import FakeClock

GOOD = '[[rule]]\nname = "one"\nwhen = { to = "external" }\ndelay = "5m"\n'
BETTER = GOOD + '[[rule]]\nname = "two"\ndelay = "1m"\n'
BAD = GOOD.replace("5m", "5min")


def names(rules: RulesFile) -> list[str]:
    return [rule.name for rule in rules.current.rules]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good rules file."""
    path = tmp_path / "rules.toml"
    path.write_text(GOOD)
    return path


def test_it_is_a_source_of_policies(path: Path) -> None:
    policies: Policies = RulesFile.load(path)
    assert isinstance(policies.current, Policy)
    assert policies.faults == ()


def test_a_bad_file_is_refused_at_the_start(path: Path) -> None:
    path.write_text(BAD)
    with pytest.raises(ConfigurationError, match=r'rules.toml:4: rule "one".delay'):
        RulesFile.load(path)


def test_without_a_file_the_default_rules_are_in_force(tmp_path: Path) -> None:
    for rules in (RulesFile.load(None), RulesFile.load(tmp_path / "later.toml")):
        assert names(rules) == ["external"]
        assert rules.current.rules[0].demand.delay == timedelta(minutes=5)
        assert not rules.current.internal("a@localhost")
        assert {code: demand.delay for code, demand in rules.current.checks.items()} == {
            check.code: check.delay for check in CHECKS
        }


def test_the_shipped_file_is_the_default_in_force() -> None:
    assert default_rules() == (Path(__file__).parents[3] / "config/rules.toml").read_bytes()


def test_the_shipped_file_shows_the_defaults_of_its_keys() -> None:
    lines = default_rules().decode().splitlines()
    shown = [
        line[1:]
        for line in lines
        if line.startswith("#") and line[1:2].isalpha() and "corp.example" not in line
    ]
    assert [line.partition(" ")[0] for line in shown] == [
        "internal_domains",
        "margin",
        "notify",
        "keep",
        "undo",
        "remember",
    ]
    assert parse_rules("\n".join(shown), "x") == parse_rules("rule = []", "x")


async def test_a_reload_takes_the_new_rules(path: Path) -> None:
    rules = RulesFile.load(path)
    path.write_text(BETTER)
    assert await rules.reload() == ()
    assert names(rules) == ["one", "two"]


async def test_what_is_in_force_is_the_same_for_two_that_read_the_same(path: Path) -> None:
    rules, other = RulesFile.load(path), RulesFile.load(path)
    assert rules.in_force == other.in_force != RulesFile.load(None).in_force
    path.write_text(BETTER)
    await rules.reload()
    assert rules.in_force != other.in_force
    path.write_text(BAD)
    # The one took what was between, the other did not.
    assert await rules.reload()
    assert await other.reload()
    assert rules.fingerprint == other.fingerprint
    assert rules.in_force != other.in_force


@pytest.mark.parametrize("content", [BAD, "", "# only a comment\n", BETTER[:-3], "\x00", "margin = "])
async def test_a_reload_of_a_bad_file_keeps_the_old_rules(path: Path, content: str) -> None:
    rules = RulesFile.load(path)
    before = rules.current
    path.write_text(content)
    told = await rules.reload()
    assert told
    assert rules.faults == told
    assert rules.current is before
    path.write_text(BETTER)
    assert await rules.reload() == ()
    assert rules.faults == ()
    assert names(rules) == ["one", "two"]


async def test_a_file_that_is_gone_keeps_its_rules(path: Path) -> None:
    rules = RulesFile.load(path)
    path.unlink()
    assert "cannot be read: No such file" in str((await rules.reload())[0])
    assert names(rules) == ["one"]


async def test_a_file_that_comes_later_is_taken(tmp_path: Path) -> None:
    rules = RulesFile.load(tmp_path / "rules.toml")
    assert await rules.reload() == ()
    (tmp_path / "rules.toml").write_text(BETTER)
    assert await rules.reload() == ()
    assert names(rules) == ["one", "two"]


class Watched:
    """A file that is being watched, and what was told of it."""

    def __init__(self, rules: RulesFile) -> None:
        self.rules = rules
        self.told: list[tuple[Fault, ...]] = []
        self._clock = FakeClock()

    async def watch(self) -> None:
        """Until cancelled."""
        await self.rules.watch(self._clock, self.told.append)

    async def turn(self, between: bytes | None = None, path: Path | None = None) -> None:
        """One look at the file; `between` is written while it settles."""
        await self._pass(POLL_SECONDS)
        if path is not None and between is not None:
            path.write_bytes(between)
        await self._pass(SETTLE_SECONDS)

    async def _pass(self, seconds: float) -> None:
        await self._clock.advance(timedelta(seconds=seconds))
        await self._clock.somebody_asleep()


@asynccontextmanager
async def watched(path: Path) -> AsyncIterator[Watched]:
    """The watching of a file, as app.py has it running."""
    made = Watched(RulesFile.load(path))
    task = asyncio.create_task(made.watch())
    await asyncio.sleep(0)
    try:
        yield made
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_change_is_seen_and_told_once(path: Path) -> None:
    async with watched(path) as seen:
        await seen.turn()
        assert seen.told == []
        path.write_text(BETTER)
        await seen.turn()
        assert names(seen.rules) == ["one", "two"]
        await seen.turn()
        assert seen.told == [()]


async def test_a_bad_change_is_told_once_and_the_old_rules_stay(path: Path) -> None:
    async with watched(path) as seen:
        path.write_text(BAD)
        await seen.turn()
        await seen.turn()
        assert len(seen.told) == 1
        assert seen.told[0]
        assert names(seen.rules) == ["one"]
        path.write_text(GOOD)
        await seen.turn()
        assert seen.told[1:] == [()]
        assert seen.rules.faults == ()


async def test_a_file_that_vanishes_is_told_once(path: Path) -> None:
    async with watched(path) as seen:
        path.unlink()
        for _ in range(3):
            await seen.turn()
        assert len(seen.told) == 1
        assert names(seen.rules) == ["one"]
        path.write_text(BETTER)
        await seen.turn()
        assert names(seen.rules) == ["one", "two"]


async def test_a_file_that_is_still_being_written_is_left_alone(path: Path) -> None:
    """Half a file may be valid by chance: here it would hold nothing that `two` holds."""
    async with watched(path) as seen:
        path.write_text(BETTER[: len(GOOD)] + "\n")
        await seen.turn(BETTER.encode(), path)
        assert seen.told == []
        await seen.turn()
        assert names(seen.rules) == ["one", "two"]


async def test_rename_and_symlink_are_changes(path: Path, tmp_path: Path) -> None:
    """How editors save, and how Kubernetes swaps a ConfigMap."""
    async with watched(path) as seen:
        (tmp_path / "new").write_text(BETTER)
        os.replace(tmp_path / "new", path)
        await seen.turn()
        assert names(seen.rules) == ["one", "two"]
        (tmp_path / "data").write_text(GOOD)
        path.unlink()
        path.symlink_to(tmp_path / "data")
        await seen.turn()
        assert names(seen.rules) == ["one"]


async def test_a_reload_by_hand_is_not_told_again(path: Path) -> None:
    async with watched(path) as seen:
        path.write_text(BETTER)
        await seen.rules.reload()
        await seen.turn()
        assert seen.told == []

"""Who is asked again, when, and how often."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailguard.core.errors import StoreError
from mailguard.edge.config import parse_rules
from tests.flow.parts import ANNE, BOB, RULES, Parts, opened
from tests.flow.reading import notices, text_of

DEPUTIES = RULES.replace(
    'approvers = ["bob@corp.example"]',
    'approvers = ["bob@corp.example"]\ndeputies = ["legal@corp.example"]\nescalate = "4h"',
)


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    """Everything joined, with notices and deputies."""
    async with opened(tmp_path, notices=True) as joined:
        joined.rules.current = parse_rules(DEPUTIES, "rules.toml")
        yield joined


async def later(parts: Parts, **by: int) -> list[tuple[str, str]]:
    """Time goes by; who gets which subject."""
    await parts.clock.advance(timedelta(**by))
    await parts.reminding.look()
    return [(to, str(written["Subject"]).partition(":")[0]) for to, written in await notices(parts)]


async def test_the_deputies_are_asked_after_four_hours_and_all_before_the_end(parts: Parts) -> None:
    held = await parts.id_of("x@newspaper.example")
    assert [to for to, _ in await notices(parts)] == ["bob@corp.example", "anne@corp.example"]
    assert await later(parts, hours=3) == []
    assert await later(parts, hours=1) == [("legal@corp.example", "Your approval is asked for")]
    assert await later(parts, hours=20) == []
    still = "It still waits for your approval"
    assert await later(parts, hours=12) == [("bob@corp.example", still), ("legal@corp.example", still)]
    assert await later(parts, hours=11) == []
    events = [(one.event, one.by) for one in await parts.store.events(held)]
    assert events == [("received", "anne"), ("remind", "mailguard"), ("remind", "mailguard")]


async def test_new_rules_do_not_move_what_was_told(parts: Parts) -> None:
    await parts.id_of("x@newspaper.example")
    await notices(parts)
    parts.rules.current = parse_rules(DEPUTIES.replace('"4h"', '"1h"'), "rules.toml")
    assert await later(parts, hours=2) == []
    assert len(await later(parts, hours=2)) == 1


async def test_a_sender_whose_yes_is_awaited_is_asked_again(parts: Parts) -> None:
    await parts.id_of("one@big.example")
    await notices(parts)
    assert await later(parts, hours=36) == [("anne@corp.example", "It still waits for you")]


async def test_whoever_has_decided_is_asked_no_more(parts: Parts) -> None:
    for decided in (parts.decide.approve, parts.decide.cancel):
        held = await parts.id_of("x@newspaper.example")
        await decided(held, BOB if decided == parts.decide.approve else ANNE)
        await notices(parts)
        assert await later(parts, hours=5) == []


async def test_a_deputy_decides_and_the_sender_hears_of_it(parts: Parts) -> None:
    held = await parts.id_of("x@newspaper.example")
    await notices(parts)
    await parts.clock.advance(timedelta(hours=4))
    await parts.reminding.look()
    [(_, asked)] = await notices(parts)
    assert f"approve+{held}+" in str(asked["Reply-To"])
    assert "See it" not in text_of(asked), "there is no page"


async def test_a_store_that_fails_is_asked_again_later(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    await parts.id_of("x@newspaper.example")
    await notices(parts)
    await parts.clock.advance(timedelta(hours=4))
    with monkeypatch.context() as patched:

        async def broken(*_: object) -> None:
            raise StoreError("not now")

        patched.setattr(parts.store, "apply", broken)
        await parts.reminding.look()
        patched.setattr(parts.store, "to_remind", broken)
        await parts.reminding.look()
    assert len(await later(parts, minutes=1)) == 1

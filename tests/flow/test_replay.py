from datetime import timedelta
from pathlib import Path

import pytest

from mailguard.edge.config import parse_rules
from mailguard.flow import replay as module
from mailguard.flow.replay import Replay
from tests.flow.parts import opened

NEW = """
internal_domains = ["corp.example"]
[[rule]]
name = "big clients"
when = { to = "@big.example" }
delay = "1h"
[[rule]]
name = "words"
when = { body = "layoffs" }
delay = "1h"
"""


async def test_what_new_rules_would_have_held(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        old = await parts.id_of("client@customer.example")
        await parts.tick(timedelta(days=2))
        since = parts.clock.now() - timedelta(days=1)
        sent = await parts.id_of("client@customer.example")
        big = await parts.id_of("x@big.example")
        same = await parts.id_of("boss@corp.example")
        await parts.tick(timedelta(hours=1))
        told = await Replay(store=parts.store).run(parse_rules(NEW, "rules.toml"), since)
    assert (told["messages"], told["held_then"], told["held_now"], told["changes"]) == (3, 2, 1, 2)
    assert told["rules"] == {"big clients": 1}
    assert told["unanswered"] == ["words"]
    changed = told["changed"]
    assert isinstance(changed, list)
    after = {line["id"]: (line["before"], line["after"], line["delay_after"]) for line in changed}
    assert after == {sent: ("delay", "none", 0.0), big: ("confirm", "delay", 3600.0)}
    assert old not in after and same not in after


async def test_more_than_a_page_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    async with opened(tmp_path) as parts:
        for number in range(5):
            await parts.submit(f"boss{number}@corp.example")
        since = parts.clock.now() - timedelta(days=1)
        told = await Replay(store=parts.store).run(parse_rules(NEW, "rules.toml"), since)
    assert told["messages"] == 5

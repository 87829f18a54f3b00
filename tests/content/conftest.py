"""A fresh way in for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.content.inbox import RULES, Inbox
from tests.flow.parts import Rules, opened


@pytest.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[Inbox]:
    """A fresh one."""
    async with opened(tmp_path) as parts:
        parts.rules.current = Rules(RULES).current
        yield Inbox(parts=parts)

"""The use cases on a fresh store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flow.parts import Parts, opened


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    """Everything joined, on a store of its own."""
    async with opened(tmp_path) as joined:
        yield joined

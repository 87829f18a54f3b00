"""One guard and one browser for all of these tests; each has messages of its own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import sync_playwright

from tests import sink as sinks
from tests.browser import stage as stages
from tests.browser.stage import Stage
from tests.programs import require


# Playwright's loop must be gone when the next test has one of its own; where a folder is no Python package,
# the scope of a package would be the whole session.
@pytest.fixture(scope="module")
def whole_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The guard and the browser."""
    chromium = require("chromium")
    directory = tmp_path_factory.mktemp("browser")
    with (
        sinks.running() as sink,
        sync_playwright() as playwright,
        stages.set_up(directory, sink, playwright, chromium) as stage,
    ):
        yield stage


@pytest.fixture
def stage(whole_stage: Stage) -> Iterator[Stage]:
    """The same with an empty queue; at the end no browser has complained."""
    whole_stage.faults.clear()
    yield whole_stage
    faults = list(whole_stage.faults)
    for message in whole_stage.ask("queue")["messages"]:
        whole_stage.ask("cancel", id=message["id"])
    assert faults == []

"""Pages that are open keep no guard from ending, and there are not too many of them."""

import threading
import time
from pathlib import Path

from mailguard.edge.web.live import MOST_OF_ONE
from tests.edge.web import parts
from tests.edge.web.parts import signed_in


def test_a_guard_with_open_pages_ends_at_once(tmp_path: Path) -> None:
    guard = parts.configured(tmp_path)
    guard.start()
    open_pages, ended = threading.Barrier(MOST_OF_ONE + 1), []

    with signed_in(guard) as browser:

        def listen() -> None:
            with browser.stream("GET", "/live", timeout=30) as events:
                lines = events.iter_lines()
                next(lines)
                open_pages.wait(30)
                ended.append(sum(1 for _ in lines))

        listeners = [threading.Thread(target=listen) for _ in range(MOST_OF_ONE)]
        for one in listeners:
            one.start()
        open_pages.wait(30)
        assert browser.get("/live").status_code == 503
        begun = time.monotonic()
        assert guard.stop() == 0, guard.log()
        took = time.monotonic() - begun
        for one in listeners:
            one.join(10)
    assert len(ended) == MOST_OF_ONE
    assert took < 6

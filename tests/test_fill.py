"""A queue that the benchmarks fill is one that a guard takes over like its own."""

import subprocess
import sys
from pathlib import Path

from tests import guard as guards

FILL = Path(__file__).parent / "benchmarks" / "fill.py"


def test_a_guard_goes_on_with_a_queue_that_was_filled(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, {"kind": "maildir", "path": "outgoing"})
    subprocess.run([sys.executable, str(FILL), str(tmp_path / "state"), "300"], check=True, timeout=60)
    guard.start()
    try:
        assert guard.ask("status")["messages"]["held"] == 300
        first, *rest = guard.ask("queue")
        assert len(rest) == 299
        assert first["release_at"] < rest[-1]["release_at"]
        assert guard.raw(first["id"]).startswith(b"From: " + first["sender"].encode())
        guard.ask("cancel", first["id"])
        assert guard.ask("show", first["id"])["state"] == "cancelled"
    finally:
        guard.stop()


def test_a_queue_that_a_guard_has_open_is_not_filled(tmp_path: Path) -> None:
    with guards.running(tmp_path, {"kind": "maildir", "path": "outgoing"}) as guard:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.fill", str(tmp_path / "state"), "1"],
            capture_output=True,
            check=False,
            cwd=FILL.parents[2],
            timeout=60,
        )
        assert done.returncode
        assert guard.ask("status")["messages"]["held"] == 0

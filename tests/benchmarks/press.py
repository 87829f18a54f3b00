"""From the press to "cancelled", by HTTP, with many messages held: `python -m tests.benchmarks.press`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.fill import fill
from tests.edge.web.parts import bearer, configured, submit


def pressed(held: int, presses: int) -> list[float]:
    """How long each press took, in seconds, at the client of one connection."""
    with tempfile.TemporaryDirectory() as name:
        guard = configured(Path(name))
        guard.start()
        guard.stop()
        fill(guard.directory / "state", held)
        guard.start()
        try:
            ids = [submit(guard, subject=f"press {number}") for number in range(presses)]
            with bearer(guard) as alice:
                took = []
                for message_id in ids:
                    began = time.perf_counter()
                    answer = alice.post(f"/api/v1/messages/{message_id}/cancel")
                    took.append(time.perf_counter() - began)
                    assert answer.json()["message"]["state"] == "cancelled", answer.text
                began = time.perf_counter()
                alice.get("/api/v1/messages")
                sys.stdout.write(f"the list of one person: {1000 * (time.perf_counter() - began):.1f} ms\n")
            return sorted(took)
        finally:
            guard.stop()


def main() -> None:
    """Print the median, and what 99 in 100 stay under."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--held", type=int, default=10_000)
    parser.add_argument("--presses", type=int, default=200)
    asked = parser.parse_args()
    took = pressed(asked.held, asked.presses)
    half, most = took[len(took) // 2], took[int(len(took) * 0.99) - 1]
    sys.stdout.write(f"{asked.held} held: half in {1000 * half:.1f} ms, 99 in 100 in {1000 * most:.1f} ms\n")


if __name__ == "__main__":
    main()

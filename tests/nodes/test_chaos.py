"""Three guards on one queue, killed every few seconds under load: nothing acknowledged is lost, nothing
cancelled leaves, and second copies are those that the history owns to."""

from pathlib import Path

import pytest

from tests.crash.figures import tell
from tests.nodes import chaos, several
from tests.sink import Sink
from tests.slices import rounds


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_guards_that_are_killed_again_and_again(tmp_path: Path, url: str, sink: Sink) -> None:
    seconds = rounds(600, slice_of=25)
    with several.running(tmp_path, url, sink.port, count=3, rules=chaos.RULES) as guards:
        account = chaos.Account(guards, sink)
        chaos.play(account, seconds=seconds, clients=6, pause=(2.0, 15.0))
        wrong = chaos.broken(account)
        tell(f"kill -9 of one of 3 guards, {seconds} s", {**account.figures, "promises broken": len(wrong)})
        assert wrong == []
        assert account.figures["kills"] > seconds / 20

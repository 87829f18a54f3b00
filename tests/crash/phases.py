"""What a guard is killed at: each phase of the road, as something to prepare and something to do."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from mailguard.edge.store.pieces import PIECE
from tests.crash.killing import Parts
from tests.crash.stage import Stage

B, C = "b@later.example", "c@later.example"
REFUSED = "refused@later.example"

Step = Callable[[Stage, str], None]

# Claim and relay begin once the answer to the release is written, and with the connection.
_OUT: Parts = [
    ("release", ""),
    ("claim", r"write\(.*control\.sock.*told"),
    # Over a new connection, or over one that is open from the mail before.
    ("relay", r'connect\(|write\(.*"MAIL FROM:<[^>]'),
    ("record", r"pwrite64\("),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """`prepare` is done in peace; while the guard does `act`, it is killed. Both get the mail's key. `few` is
    how often in a slice of the sweep."""

    name: str
    few: int
    parts: Parts
    prepare: Step
    act: Step


def _nothing(stage: Stage, key: str) -> None:
    pass


def _accept(stage: Stage, key: str) -> None:
    stage.submit(key, B, C)


def _accept_large(stage: Stage, key: str) -> None:
    # Of two pieces.
    stage.submit(key, B, padding=PIECE + 50_000)


def _cancel(stage: Stage, key: str) -> None:
    stage.cancel(key)


def _drop(stage: Stage, key: str) -> None:
    stage.cancel(key, C)


def _accept_and_cancel(stage: Stage, key: str) -> None:
    _accept(stage, key)
    _cancel(stage, key)


def _restore(stage: Stage, key: str) -> None:
    stage.restore(key)


def _accept_refused(stage: Stage, key: str) -> None:
    stage.submit(key, B, REFUSED)


def _let_go(stage: Stage, key: str) -> None:
    stage.ask("release", key)
    _await_copy(stage, key, report=False)


def _let_go_and_report(stage: Stage, key: str) -> None:
    stage.ask("release", key)
    _await_copy(stage, key, report=True)


def _await_copy(stage: Stage, key: str, *, report: bool) -> None:
    """Until it has arrived, or the guard is dead."""
    assert stage.guard.process
    deadline = time.monotonic() + 20
    while stage.guard.process.poll() is None:
        if any((copy.key, copy.report) == (key, report) for copy in list(stage.witness.copies)):
            return
        assert time.monotonic() < deadline, f"{key} did not leave:\n{stage.guard.log()}"
        time.sleep(0.01)


PHASES = (
    Phase(name="accept", few=3, parts=[("accept", "")], prepare=_nothing, act=_accept),
    Phase(name="large", few=1, parts=[("accept", "")], prepare=_nothing, act=_accept_large),
    Phase(name="cancel", few=1, parts=[("cancel", "")], prepare=_accept, act=_cancel),
    Phase(name="drop", few=1, parts=[("drop", "")], prepare=_accept, act=_drop),
    Phase(name="restore", few=1, parts=[("restore", "")], prepare=_accept_and_cancel, act=_restore),
    Phase(name="leave", few=2, parts=_OUT, prepare=_accept, act=_let_go),
    Phase(
        name="bounce",
        few=1,
        parts=[*_OUT, ("report", "MAIL FROM:<>")],
        prepare=_accept_refused,
        act=_let_go_and_report,
    ),
)

"""The wrong recipients that the judge is trained and measured with."""

from dataclasses import replace

import pytest

from tests.benchmarks.ranking.leaks import KINDS, Known, make, maker
from tests.core.recall.letters import ME, letter

_HOME, _OTHER = "aberg@mail.example", "eve.stone@firm.example"


def _made(kind: str, *seen: str) -> set[str]:
    known = Known(internal=frozenset(["corp.example"]))
    for to in seen:
        known.see(letter(to), ME)
    sent = replace(letter("bob.king@corp.example", text="Yes."), names={})
    leaks = (make(kind, sent, ME, known, maker(kind, number)) for number in range(20))
    return {leak.address for leak in leaks if leak}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("typo", "slip", "slip_add")])
def test_what_is_not_the_senders_own_is_made_a_leak_and_his_home_is_not(kind: str) -> None:
    assert _made(kind, _HOME, _OTHER) == {_OTHER}
    assert _made(kind, _HOME) == set()


@pytest.mark.parametrize("kind", ["slip", "slip_add"])
def test_a_lookalike_that_is_the_sender_at_home_is_no_slip(kind: str) -> None:
    assert _made(kind, "bob.berg@mail.example", "bob.stone@firm.example") == {
        "bob.berg@mail.example",
        "bob.stone@firm.example",
    }
    assert _made(kind, "bob-aberg@mail.example", "bob.stone@firm.example") == {"bob.stone@firm.example"}

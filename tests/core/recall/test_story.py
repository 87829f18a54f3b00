"""The story the judge is for: a manager writes to her boss about cost cuts, and a client gets it."""

import pytest

from mailguard.core.recall.calibration import Calibration
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.suspicion import Suspicion, judge
from mailguard.edge.learned import load
from tests.core.recall.letters import letter, memory, reading

TREES = load()
BOSS, CLIENT = "robert.stone@corp.example", "robert.steele@client.example"
STRANGER = "karl.steele@client.example"
ENGLISH = """Bob,

as discussed the layoffs come in May. The cost cuts must stay internal, nobody tells the client.

Anna"""
FRENCH = """Bonjour Robert,

les licenciements et les réductions de coûts restent strictement internes, le client ne doit rien savoir.

Anna"""
PROJECT = """Dear Robert,

attached the delivery plan of the project, milestones and acceptance tests.

Anna"""


def _judged(before: list[Letter], to: str, text: str) -> Suspicion:
    return judge(
        memory(*before),
        reading(letter(to, text, subject="Cost cuts", day=60)),
        TREES,
        Calibration(TREES),
        internal=["corp.example"],
        warnings=5,
    )


def _history() -> list[Letter]:
    boss = [
        letter(BOSS, "Bob,\n\nlayoffs and cost cuts, internal numbers\n\nAnna", day=n)
        for n in range(0, 50, 2)
    ]
    client = [letter(CLIENT, PROJECT, day=n) for n in range(1, 50, 4)]
    return sorted([*boss, *client], key=lambda one: one.when)


@pytest.mark.parametrize("text", [ENGLISH, FRENCH])
def test_on_day_one_the_client_is_flagged_because_the_greeting_is_not_his(text: str) -> None:
    found = _judged([], STRANGER, text)
    assert found.rate < 2
    assert found.reasons[STRANGER].greeted in ("bob", "robert")
    assert found.score > _judged([], BOSS, text).score + 2


@pytest.mark.parametrize("text", [ENGLISH, ENGLISH.replace("Bob", "Hello Bob")])
def test_with_history_the_client_is_flagged_and_the_boss_is_named(text: str) -> None:
    found = _judged(_history(), CLIENT, text)
    assert found.reasons[CLIENT].like == BOSS
    assert found.rate < 2


def test_with_history_mail_to_the_boss_and_to_the_client_goes_its_way() -> None:
    assert not _judged(_history(), BOSS, ENGLISH).reasons
    assert not _judged(_history(), CLIENT, PROJECT).reasons

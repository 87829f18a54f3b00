"""How much the memory is asked about a message."""

from typing import Any

import pytest

from mailguard.core.policy import Policy
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.inquiry import Found, inquire
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.recollecting import Judge
from mailguard.core.recall.remembrance import Remembrance
from mailguard.edge.config import parse_rules
from tests.core.recall.test_recollecting import DIGESTS, ME, mail, remembered

RULES = 'internal_domains = ["corp.example"]\n[[rule]]\nname = "a"\ndelay = "1m"\n'
POLICY = parse_rules(RULES, "rules.toml")
BOB = "bob@client.example"


class Suspects:
    """A judge to whom everybody is as suspect."""

    fingerprint = 1

    def passed(self, score: float) -> None:
        """Nothing is learnt."""

    def suspicion(self, scene: object) -> dict[str, tuple[float, float]]:
        """Asked only where somebody wants to know."""
        return {BOB: (0.25, 3.0)}


def asked(memory: Remembrance, letter: Letter, policy: Policy = POLICY, own: tuple[str, ...] = ()) -> Found:
    """What is found about a message of somebody who invites nobody."""
    judge: Judge = Suspects()
    return inquire(
        memory, judge, policy, letter, digests=DIGESTS, meant=frozenset({("a", BOB)}), own=own, invited=()
    )


def test_what_is_known_is_found_and_what_was_meant_goes_along() -> None:
    found = asked(remembered(mail(1, BOB), mail(2, BOB)), mail(3, BOB))
    assert found.recollection.mails == 2
    assert found.recollection.people[BOB].mails == 2
    assert found.recollection.meant == {("a", BOB)}
    assert found.observation.to == (BOB,)


@pytest.mark.parametrize(("mails", "suspicion"), [(29, None), (30, 0.25)])
def test_of_a_sender_who_is_hardly_known_nobody_is_suspect(mails: int, suspicion: float | None) -> None:
    memory = remembered(*(mail(number, BOB) for number in range(mails)))
    assert asked(memory, mail(mails, BOB)).suspicion == suspicion


def test_where_a_delay_goes_by_it_suspicion_is_asked_for_from_the_first_mail() -> None:
    policy = parse_rules(RULES.replace("1m", "risk"), "rules.toml")
    assert policy.weighs_suspicion(0)
    assert asked(Remembrance(), mail(0, BOB), policy).suspicion == 0.25


def test_of_a_logins_addresses_those_count_that_are_no_patterns() -> None:
    memory = remembered(*(mail(number, BOB, sender="other@corp.example") for number in range(6)))
    found = asked(memory, mail(9, BOB), own=("other@corp.example", "news-*@corp.example", ME))
    assert found.recollection.identity is not None
    assert found.recollection.identity.address == "other@corp.example"
    assert asked(memory, mail(9, BOB), own=("*@corp.example",)).recollection.identity is None


def test_a_blank_memory_knows_the_same_by_any_key() -> None:
    letter = mail(1, BOB, cc=("carol@corp.example",), subject="Salaries")
    how: dict[str, Any] = {"meant": frozenset(), "own": (ME,), "invited": (BOB,)}
    one, other = [
        inquire(Remembrance(), None, POLICY, letter, digests=digests, **how).recollection
        for digests in (DIGESTS, Digests(b""))
    ]
    assert one == other
    assert set(one.people) == {BOB, "carol@corp.example"}

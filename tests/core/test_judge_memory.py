"""What the memory knows weighs in the judgement: suspicion makes a hold longer, a yes silences a check."""

import itertools
from datetime import timedelta

import pytest

from mailguard.core.findings import Finding
from mailguard.core.hold import Action
from mailguard.core.judge import judge, weigh
from mailguard.core.policy import CheckOptions, Demand, Policy, Risk, Rule
from mailguard.core.recollection import Acquaintance
from tests.facts import facts, recalled

RISK = Risk(least=timedelta(seconds=10), most=timedelta(minutes=30))
BY_RISK = Policy(rules=(Rule(name="by risk", demand=Demand(risk=RISK)),))


def held(per_thousand: float) -> timedelta:
    person = Acquaintance(address="b@client.example", per_thousand=per_thousand)
    return judge(facts(recollection=recalled(person)), BY_RISK).holds[0].delay


def test_a_clean_message_hardly_waits_and_an_odd_one_long() -> None:
    assert held(1000.0) == held(200.0) == timedelta(seconds=10)
    assert held(1.0) == held(0.0) == timedelta(minutes=30)


def test_each_doubling_of_oddness_adds_the_same() -> None:
    steps = [held(200 / 2**power).total_seconds() for power in range(7)]
    growth = [after - before for before, after in itertools.pairwise(steps)]
    assert growth == pytest.approx([growth[0]] * 6, abs=1)


def test_the_worst_recipient_decides() -> None:
    people = [
        Acquaintance(address="b@client.example", per_thousand=900.0),
        Acquaintance(address="c@client.example", per_thousand=1.0),
    ]
    known = facts("b@client.example", "c@client.example", recollection=recalled(*people))
    assert [hold.delay for hold in judge(known, BY_RISK).holds] == [timedelta(minutes=30)] * 2


def test_where_nothing_could_be_looked_up_it_waits_for_the_longest_time() -> None:
    assert judge(facts(), BY_RISK).holds[0].delay == timedelta(minutes=30)


def test_what_its_sender_meant_once_is_not_asked_again() -> None:
    policy = Policy(
        options=CheckOptions(warn_per_hundred=2.0),
        checks={"unlikely_recipient": Demand(action=Action.CONFIRM)},
    )
    person = Acquaintance(address="b@client.example", per_thousand=1.0)
    assert judge(facts("B@client.example", recollection=recalled(person)), policy).action is Action.CONFIRM
    meant = frozenset({("unlikely_recipient", "b@client.example")})
    known = facts("B@client.example", recollection=recalled(person, meant=meant))
    assert judge(known, policy).findings == ()
    other = frozenset({("unlikely_recipient", "x@client.example"), ("greeting_mismatch", "b@client.example")})
    known = facts("B@client.example", recollection=recalled(person, meant=other))
    assert judge(known, policy).action is Action.CONFIRM


def test_findings_that_are_known_already_are_weighed_as_they_are() -> None:
    policy = Policy(checks={"stranger_in_thread": Demand(delay=timedelta(minutes=15))})
    finding = Finding(check="stranger_in_thread", parameters={"address": "b@client.example"})
    verdict = weigh(facts(), policy, (finding,))
    assert (verdict.findings, verdict.holds[0].delay) == ((finding,), timedelta(minutes=15))

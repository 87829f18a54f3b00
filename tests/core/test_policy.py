from datetime import timedelta

import pytest

from mailguard.core.checks import CHECKS
from mailguard.core.checks.unlikely_recipient import FEWEST_MAILS
from mailguard.core.facts import Headers
from mailguard.core.policy import Demand, Policy, Risk, Rule
from tests.facts import conditional, facts, policy


def test_a_rule_matches_when_all_of_when_and_none_of_unless() -> None:
    made = conditional(
        'to = "external", user = "a"', 'unless = { subject = "draft", user = "boss" }\ndelay = "1m"'
    )
    rule = made.rules[0]
    assert rule.matches(made.case(facts())) == frozenset({0})
    assert rule.matches(made.case(facts(user="c"))) is None
    # One condition of `unless` is enough.
    assert rule.matches(made.case(facts(headers=Headers(subject="a draft")))) is None


def test_a_rule_concerns_those_whom_its_to_means() -> None:
    message = facts("x@corp.example", "y@client.example", "z@client.example")
    for when, places in (
        ('to = "external"', {1, 2}),
        ('to = "external", to_all = ["internal", "external"]', {1, 2}),
        ('to_all = ["internal", "@client.example"]', {0, 1, 2}),
        ('user = "a"', {0, 1, 2}),
    ):
        made = conditional(when)
        assert made.rules[0].matches(made.case(message)) == frozenset(places)


def test_a_rule_without_conditions_always_matches() -> None:
    made = policy('[[rule]]\nname = "all"\ndelay = "1m"\n')
    assert made.rules[0].matches(made.case(facts())) == frozenset({0})


@pytest.mark.parametrize(
    ("made", "needs"),
    [
        (Policy(), False),
        (conditional('to = "external"'), False),
        (conditional('body = "x"'), True),
        (conditional('to = "external"', 'delay = "1m"\nunless = { attachment = "*" }'), True),
        (Policy(checks={"stranger_in_thread": Demand()}), False),
        (Policy(checks={"forgotten_attachment": Demand()}), True),
    ],
)
def test_the_body_is_read_only_where_somebody_looks_at_it(made: Policy, needs: bool) -> None:
    assert made.needs_body is needs


def test_every_check_that_reads_the_body_makes_the_policy_need_it() -> None:
    for check in CHECKS:
        assert Policy(checks={check.code: Demand()}).needs_body is check.reads_body


def test_a_policy_never_changes() -> None:
    with pytest.raises(AttributeError):
        Policy().margin = timedelta(0)  # type: ignore[misc]
    assert Rule(name="x").matches(Policy().case(facts())) == frozenset({0})


def test_suspicion_is_weighed_of_who_is_known_or_where_a_rule_asks() -> None:
    checked = Policy(checks={"unlikely_recipient": Demand()})
    assert not checked.weighs_suspicion(FEWEST_MAILS - 1)
    assert checked.weighs_suspicion(FEWEST_MAILS)
    assert not Policy().weighs_suspicion(FEWEST_MAILS)
    risk = Risk(least=timedelta(0), most=timedelta(minutes=9))
    assert Policy(rules=(Rule(name="r", demand=Demand(risk=risk)),)).weighs_suspicion(0)

"""The judgement, with hypothesis for what must hold whatever the rules are."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.conditions import To, User
from mailguard.core.facts import Body, Facts, Headers
from mailguard.core.glob import glob
from mailguard.core.hold import Action
from mailguard.core.judge import SENDERS_WISH, Verdict, judge
from mailguard.core.patterns import compile_patterns
from mailguard.core.policy import Demand, Policy, Rule
from tests.facts import facts, policy
from tests.making import NOW

EXTERNAL = '[[rule]]\nname = "external"\nwhen = { to = "external" }\ndelay = "5m"\n'
PARTNERS = """
[[rule]]
name = "partners"
when = { to_all = ["@lawfirm.example", "internal"] }
delay = "30s"
exempts = ["external"]
"""
PRESS = """
[[rule]]
name = "press"
when = { to = "@newspaper.example" }
action = "approve"
delay = "1m"
approvers = ["press@corp.example", "boss@corp.example"]
deputies = ["legal@corp.example"]
expire = "1d"
"""
NEVER = (
    '[[rule]]\nname = "never"\nwhen = { to = "@rival.example" }\naction = "refuse"\ntext = "Not to rivals"\n'
)
MINUTE = timedelta(minutes=1)


def delays(verdict: Verdict) -> list[float]:
    return [hold.delay.total_seconds() for hold in verdict.holds]


def test_nothing_asked_for_leaves_at_once() -> None:
    verdict = judge(facts("x@corp.example"), policy(EXTERNAL))
    assert (verdict.action, verdict.gate, verdict.rules, verdict.reason) == (Action.NONE, Action.NONE, (), "")
    assert [(hold.delay, hold.gated, hold.external) for hold in verdict.holds] == [
        (timedelta(0), False, False)
    ]


def test_a_delay_holds_the_whole_message() -> None:
    verdict = judge(facts("x@corp.example", "y@client.example"), policy(EXTERNAL))
    assert (verdict.action, verdict.rules, verdict.reason) == (Action.DELAY, ("external",), "external")
    assert delays(verdict) == [300, 300]
    assert [hold.external for hold in verdict.holds] == [False, True]


def test_a_route_through_our_domain_is_external() -> None:
    verdict = judge(facts("victim%evil.example@corp.example"), policy(EXTERNAL))
    assert (verdict.holds[0].external, delays(verdict)) == (True, [300])


def test_split_lets_the_others_go() -> None:
    verdict = judge(facts("x@corp.example", "y@client.example"), policy(EXTERNAL + "split = true\n"))
    assert verdict.action is Action.DELAY
    assert delays(verdict) == [0, 300]


def test_a_delay_of_nothing_is_no_delay() -> None:
    verdict = judge(facts(), policy(EXTERNAL.replace("5m", "0s")))
    assert (verdict.action, verdict.rules, verdict.reason) == (Action.NONE, ("external",), "")


def test_the_longest_delay_wins_and_says_why() -> None:
    longer = '[[rule]]\nname = "big"\nwhen = { size_over = 10 }\ndelay = "1h"\n'
    for rules in (EXTERNAL + longer, longer + EXTERNAL):
        verdict = judge(facts(), policy(rules))
        assert (delays(verdict), verdict.reason, set(verdict.rules)) == ([3600], "big", {"external", "big"})


def test_exempts_takes_a_rule_out() -> None:
    rules = policy(EXTERNAL + PARTNERS)
    assert delays(judge(facts("x@lawfirm.example", "y@corp.example"), rules)) == [30, 30]
    verdict = judge(facts("x@lawfirm.example", "y@stranger.example"), rules)
    assert (delays(verdict), verdict.rules) == ([300, 300], ("external",))


def test_a_rule_that_is_out_exempts_nobody() -> None:
    stop = '[[rule]]\nname = "stop"\nwhen = { subject = "secret" }\ndelay = "10s"\nexempts = ["partners"]\n'
    rules = policy(EXTERNAL + PARTNERS + stop)
    message = facts("x@lawfirm.example", headers=Headers(subject="a secret"))
    verdict = judge(message, rules)
    assert (delays(verdict), verdict.rules) == ([300], ("external", "stop"))


def test_the_strictest_action_wins_and_the_delay_still_counts() -> None:
    verdict = judge(facts("x@newspaper.example", "y@corp.example"), policy(EXTERNAL + PRESS))
    assert (verdict.action, verdict.gate, verdict.reason) == (Action.APPROVE, Action.APPROVE, "press")
    assert delays(verdict) == [300, 300]
    assert all(hold.gated for hold in verdict.holds)
    assert verdict.approvers == ("press@corp.example", "boss@corp.example")
    assert verdict.deputies == ("legal@corp.example",)
    assert verdict.escalate == timedelta(hours=4)
    assert verdict.expire == timedelta(days=1)


def test_split_gates_only_those_concerned() -> None:
    verdict = judge(
        facts("x@newspaper.example", "y@client.example"), policy(EXTERNAL + PRESS + "split = true\n")
    )
    assert [hold.gated for hold in verdict.holds] == [True, False]
    assert delays(verdict) == [300, 300]
    assert verdict.gate is Action.APPROVE


def test_refuse_is_the_strictest() -> None:
    verdict = judge(facts("x@newspaper.example", "y@rival.example"), policy(EXTERNAL + PRESS + NEVER))
    assert (verdict.action, verdict.gate, verdict.refusal) == (Action.REFUSE, Action.NONE, "Not to rivals")
    assert verdict.reason == "never"


def test_two_gates_end_with_the_first() -> None:
    confirm = '[[rule]]\nname = "ask"\nwhen = { to = "external" }\naction = "confirm"\nexpire = "1h"\n'
    verdict = judge(facts("x@newspaper.example"), policy(PRESS + confirm))
    assert (verdict.action, verdict.expire) == (Action.APPROVE, timedelta(hours=1))


def test_the_senders_wish_is_one_more_delay() -> None:
    wish = NOW + timedelta(hours=2)
    verdict = judge(facts(hold_until=wish), policy(EXTERNAL))
    assert (delays(verdict), verdict.reason, verdict.rules) == ([7200], SENDERS_WISH, ("external",))
    verdict = judge(facts("x@corp.example", hold_until=wish), policy(EXTERNAL))
    assert (verdict.action, delays(verdict)) == (Action.DELAY, [7200])
    verdict = judge(facts(hold_until=NOW + MINUTE), policy(EXTERNAL))
    assert (delays(verdict), verdict.reason) == ([300], "external")
    verdict = judge(facts("x@corp.example", hold_until=NOW - MINUTE), policy(EXTERNAL))
    assert verdict.action is Action.NONE


@pytest.mark.parametrize(
    ("unread", "part"),
    [
        (facts("x@corp.example", headers=Headers(readable=False)), "headers"),
        (facts("x@corp.example", body=Body(readable=False)), "body"),
    ],
)
def test_what_cannot_be_read_waits_for_its_sender(unread: Facts, part: str) -> None:
    verdict = judge(unread, policy(EXTERNAL))
    assert (verdict.action, verdict.gate, verdict.reason) == (Action.CONFIRM, Action.CONFIRM, "unreadable")
    assert [(each.check, each.parameters["part"]) for each in verdict.findings] == [("unreadable", part)]
    ask = 'action = "approve"\napprovers = "p@c.example"\n'
    stricter = f'[[rule]]\nname = "ask"\nwhen = {{ finding = "unreadable" }}\n{ask}'
    assert judge(unread, policy(stricter)).gate is Action.APPROVE


FORGOTTEN = facts(body=Body(own_text="Please find attached the report."))


@pytest.mark.parametrize(
    ("said", "action", "seconds", "reason"),
    [
        ('{ action = "off" }', Action.DELAY, 300, "external"),
        ('{ action = "note" }', Action.DELAY, 300, "external"),
        ('{ action = "delay", delay = "15m" }', Action.DELAY, 900, "forgotten_attachment"),
        ('{ action = "delay" }', Action.DELAY, 600, "forgotten_attachment"),
        ('{ delay = "1h" }', Action.DELAY, 3600, "forgotten_attachment"),
        ("{ }", Action.DELAY, 600, "forgotten_attachment"),
        ('{ action = "confirm" }', Action.CONFIRM, 300, "forgotten_attachment"),
        ('{ action = "refuse" }', Action.REFUSE, 300, "forgotten_attachment"),
    ],
)
def test_a_finding_does_what_the_policy_says(said: str, action: Action, seconds: float, reason: str) -> None:
    verdict = judge(FORGOTTEN, policy(EXTERNAL, checks=f"[checks]\nforgotten_attachment = {said}\n"))
    assert (verdict.action, delays(verdict), verdict.reason) == (action, [seconds], reason)
    found = [finding.check for finding in verdict.findings]
    assert found == ([] if "off" in said else ["forgotten_attachment"])
    if action is Action.REFUSE:
        assert verdict.refusal == "The text speaks of something attached, but nothing is."


def test_a_check_may_ask_for_an_approver() -> None:
    said = (
        '[checks]\nforgotten_attachment = { action = "approve", approvers = "p@c.example", expire = "1h" }\n'
    )
    verdict = judge(FORGOTTEN, policy(EXTERNAL, checks=said))
    assert (verdict.gate, verdict.approvers, verdict.expire) == (
        Action.APPROVE,
        ("p@c.example",),
        timedelta(hours=1),
    )


@pytest.mark.parametrize(
    ("rules", "said", "flagged"),
    [
        (EXTERNAL, 'action = "delay", delay = "10m"', True),
        (EXTERNAL, 'action = "delay", delay = "5m"', False),
        (EXTERNAL, 'action = "note"', False),
        ("", 'action = "delay", delay = "1s"', True),
        (EXTERNAL, 'action = "confirm"', True),
        (EXTERNAL.replace('delay = "5m"', 'action = "confirm"'), 'action = "delay", delay = "0s"', False),
        (
            EXTERNAL
            + EXTERNAL.replace('to = "external"', 'finding = "forgotten_attachment"')
            .replace('"external"', '"found"')
            .replace("5m", "20m"),
            'action = "note"',
            True,
        ),
    ],
    ids=["longer", "no longer", "noted", "by itself", "stricter", "milder", "a rule on a finding"],
)
def test_it_is_flagged_where_a_finding_makes_a_difference(rules: str, said: str, flagged: bool) -> None:
    checks = f"[checks]\nforgotten_attachment = {{ {said} }}\n"
    assert judge(FORGOTTEN, policy(rules, checks=checks)).flagged is flagged


def test_two_hundred_strangers_cost_little_more_than_one() -> None:
    many = facts(
        *(f"r{number}@client.example" for number in range(200)),
        headers=Headers(from_=("a@corp.example",), in_reply_to=("one@client.example",)),
        participants=["x@client.example"],
    )
    rules = policy(EXTERNAL, checks="")
    judge(many, rules)
    start = time.process_time()
    assert len(judge(many, rules).findings) == 200
    assert time.process_time() - start < 0.3


# What must hold whatever the rules are. Domains are few, so that rules and messages often meet.

DOMAINS = ("corp.example", "a.example", "b.example", "c.example")
PATTERNS = ("internal", "external", *(f"@{domain}" for domain in DOMAINS))
ADDRESSES = st.builds("{}@{}".format, st.sampled_from("xyz"), st.sampled_from(DOMAINS))
MESSAGES = st.builds(
    lambda to, user: facts(*to, user=user), st.lists(ADDRESSES, min_size=1, max_size=4), st.sampled_from("ab")
)
CONDITIONS = st.one_of(
    st.builds(lambda text: To(patterns=compile_patterns([text], {})), st.sampled_from(PATTERNS)),
    st.builds(lambda login: User(logins=(glob(login),)), st.sampled_from("ab")),
)
DEMANDS = st.builds(
    Demand,
    action=st.sampled_from([Action.DELAY, Action.CONFIRM, Action.APPROVE, Action.REFUSE]),
    delay=st.integers(0, 5).map(lambda minutes: minutes * MINUTE),
    approvers=st.sampled_from([(), ("p@corp.example",), ("q@corp.example",)]),
)


@st.composite
def rules(draw: st.DrawFn) -> tuple[Rule, ...]:
    """Up to five rules; each may exempt rules with a later name, so that there is no circle."""
    names = [f"r{index}" for index in range(draw(st.integers(0, 5)))]
    return tuple(
        Rule(
            name=name,
            when=tuple(draw(st.lists(CONDITIONS, max_size=2))),
            unless=tuple(draw(st.lists(CONDITIONS, max_size=1))),
            demand=draw(DEMANDS),
            split=draw(st.booleans()),
            exempts=frozenset(later for later in names[index + 1 :] if draw(st.booleans())),
        )
        for index, name in enumerate(names)
    )


def of(made: tuple[Rule, ...]) -> Policy:
    return Policy(internal_domains=("corp.example",), rules=made)


@given(MESSAGES, rules(), st.randoms(use_true_random=False))
def test_the_order_of_the_rules_makes_no_difference(
    message: Facts, made: tuple[Rule, ...], random: object
) -> None:
    shuffled = list(made)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = judge(message, of(made)), judge(message, of(tuple(shuffled)))
    assert set(one.rules) == set(other.rules)
    assert set(one.approvers) == set(other.approvers)
    assert replace(one, rules=(), approvers=()) == replace(other, rules=(), approvers=())


@given(MESSAGES, rules(), CONDITIONS, DEMANDS, st.booleans())
def test_a_rule_more_never_shortens_a_hold_unless_it_exempts(
    message: Facts, made: tuple[Rule, ...], when: To | User, demand: Demand, split: bool
) -> None:
    extra = Rule(name="extra", when=(when,), demand=demand, split=split)
    before, after = judge(message, of(made)), judge(message, of((*made, extra)))
    assert after.action.rank >= before.action.rank
    assert set(after.rules) >= set(before.rules)
    for old, new in zip(before.holds, after.holds, strict=True):
        assert new.delay >= old.delay
        assert new.gated >= old.gated


@given(MESSAGES, rules())
def test_every_rule_counts_unless_a_counting_one_exempts_it(message: Facts, made: tuple[Rule, ...]) -> None:
    policy = of(made)
    verdict = judge(message, policy)
    case = policy.case(message)
    for rule in made:
        if rule.matches(case) is None:
            assert rule.name not in verdict.rules
        else:
            out = any(rule.name in other.exempts for other in made if other.name in verdict.rules)
            assert (rule.name in verdict.rules) is not out


@given(MESSAGES, rules())
def test_a_hold_says_what_the_action_says(message: Facts, made: tuple[Rule, ...]) -> None:
    verdict = judge(message, of(made))
    if verdict.action is Action.NONE:
        assert not any(hold.delay or hold.gated for hold in verdict.holds)
    if verdict.action is Action.DELAY:
        assert any(hold.delay for hold in verdict.holds)
        assert not any(hold.gated for hold in verdict.holds)
    if verdict.gate is not Action.NONE:
        assert verdict.gate is verdict.action
        assert any(hold.gated for hold in verdict.holds)
    assert bool(verdict.reason) is (verdict.action is not Action.NONE)

from datetime import timedelta

from mailguard.core.checks import CHECKS
from mailguard.core.conditions import Condition
from mailguard.core.hold import Action
from mailguard.core.policy import Demand, Notify, Risk
from mailguard.core.prose import Text
from mailguard.edge.config import parse_rules
from mailguard.edge.config.rules_model import Conditions

EVERYTHING = """
internal_domains = ["Corp.Example", "*.corp.example"]
margin = "5s"
notify = "always"
keep = "30d"
undo = "1d"

[groups]
executives = ["ceo@corp.example", "ea-*@corp.example"]

[[rule]]
name = "everything"
action = "approve"
delay = "10m"
split = true
approvers = "press@corp.example"
deputies = ["legal@corp.example"]
expire = "4h"
[rule.when]
from = "internal"
to = "group:executives"
to_all = ["internal", "external"]
user = "a*"
subject = "x"
body = "/y/"
header = { X-A = "z" }
attachment = "*.pdf"
size_over = 1
recipients_over = 1
external_over = 1
visible_external_over = 1
importance = "high"
is_reply = true
finding = "unreadable"
during = "sat UTC"
[rule.unless]
subject = "draft"

[[rule]]
name = "out"
delay = "0s"
exempts = ["everything"]
"""


def test_every_key_arrives() -> None:
    policy = parse_rules(EVERYTHING, "rules.toml")
    assert policy.internal_domains == ("corp.example", "*.corp.example")
    assert (policy.margin, policy.notify) == (timedelta(seconds=5), Notify.ALWAYS)
    assert (policy.keep, policy.undo) == (timedelta(days=30), timedelta(days=1))
    assert set(policy.groups) == {"executives"}
    rule, out = policy.rules
    assert (rule.name, rule.split, len(rule.unless)) == ("everything", True, 1)
    assert (rule.demand.action, rule.demand.delay) == (Action.APPROVE, timedelta(minutes=10))
    assert (rule.demand.approvers, rule.demand.deputies) == (("press@corp.example",), ("legal@corp.example",))
    assert rule.demand.expire == timedelta(hours=4)
    assert (out.demand.action, out.demand.delay, out.exempts) == (
        Action.DELAY,
        timedelta(0),
        frozenset({"everything"}),
    )


def test_every_condition_of_the_format_is_built() -> None:
    (rule, _) = parse_rules(EVERYTHING, "rules.toml").rules
    kinds = {type(condition) for condition in rule.when}
    assert len(rule.when) == len(kinds) == len(Conditions.model_fields)


def test_conditions_are_tried_cheapest_first() -> None:
    """The body is searched only where nothing else has said no."""
    (rule, _) = parse_rules(EVERYTHING, "rules.toml").rules

    def cost(condition: Condition) -> bool:
        return condition.reads_body

    assert [cost(condition) for condition in rule.when] == sorted(map(cost, rule.when))


def test_a_file_without_checks_has_the_defaults() -> None:
    policy = parse_rules('margin = "3s"', "rules.toml")
    assert {code: (demand.action, demand.delay) for code, demand in policy.checks.items()} == {
        check.code: (check.action, check.delay) for check in CHECKS
    }
    assert policy.checks["stranger_in_thread"] == Demand(delay=timedelta(minutes=15))
    assert policy.checks["lookalike_domain"] == Demand(action=Action.CONFIRM)


def test_some_checks_have_keys_of_their_own() -> None:
    policy = parse_rules(
        """
        [checks]
        confidential_marking = { action = "confirm", words = ["Project Falcon", "/F-[0-9]{4}/"] }
        many_visible_externals = { over = 3 }
        unlikely_recipient = { warn = 0.2 }
        """,
        "rules.toml",
    )
    assert [said for said, _ in policy.options.confidential_words] == ["Project Falcon", "/F-[0-9]{4}/"]
    assert policy.options.confidential_words[1][1].found_in(Text(raw="see F-1234"))
    assert (policy.options.visible_over, policy.options.warn_per_hundred) == (3, 0.2)
    # What a finding does is that of the shipped rules, where only another key is set.
    assert policy.checks["unlikely_recipient"] == Demand(delay=timedelta(minutes=10))


def test_a_delay_by_risk() -> None:
    policy = parse_rules(
        """
        [[rule]]
        name = "usual"
        delay = "risk"

        [[rule]]
        name = "narrow"
        delay = "risk"
        least = "0s"
        most = "5m"
        """,
        "rules.toml",
    )
    usual, narrow = (rule.demand for rule in policy.rules)
    assert usual.risk == Risk(least=timedelta(seconds=10), most=timedelta(minutes=30))
    assert narrow.risk == Risk(least=timedelta(0), most=timedelta(minutes=5))
    assert usual.delay == timedelta(0)


def test_the_same_text_is_the_same_policy() -> None:
    assert parse_rules(EVERYTHING, "a") == parse_rules(EVERYTHING, "b")

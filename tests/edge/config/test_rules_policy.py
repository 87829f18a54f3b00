from datetime import timedelta

from mailguard.core.conditions import Condition
from mailguard.core.hold import Action
from mailguard.core.policy import Notify
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
        "stranger_in_thread": (Action.DELAY, timedelta(minutes=15)),
        "forgotten_attachment": (Action.DELAY, timedelta(minutes=10)),
    }


def test_the_same_text_is_the_same_policy() -> None:
    assert parse_rules(EVERYTHING, "a") == parse_rules(EVERYTHING, "b")

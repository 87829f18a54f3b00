from datetime import timedelta

from mailguard.core.findings import Finding
from mailguard.core.hold import Action
from mailguard.core.past import again, answerable
from tests import making
from tests.facts import policy

RULES = """
[[rule]]
name = "clients"
when = { to = "@client.example" }
delay = "10m"

[[rule]]
name = "attachments"
when = { attachment = "*.xlsx" }
delay = "1h"

[[rule]]
name = "after hours"
when = { during = "sat,sun 00:00-24:00 Europe/Paris" }
action = "confirm"
"""


def test_the_rules_that_can_be_asked_are() -> None:
    made = policy(RULES)
    assert [rule.name for rule in made.rules if answerable(rule)] == ["clients", "after hours"]
    # A Sunday.
    verdict = again(making.message(), made)
    assert verdict.rules == ("clients", "after hours")
    assert verdict.action is Action.CONFIRM
    assert verdict.holds[0].delay == timedelta(minutes=10)


def test_the_findings_of_then_do_what_they_do_now() -> None:
    finding = Finding(check="stranger_in_thread", parameters={"address": "b@client.example"})
    message = making.message(findings=(finding,))
    strict = policy("", checks='[checks]\nstranger_in_thread = { action = "confirm" }\n')
    assert again(message, strict).action is Action.CONFIRM
    off = policy("", checks='[checks]\nstranger_in_thread = { action = "off" }\n')
    assert again(message, off).action is Action.NONE

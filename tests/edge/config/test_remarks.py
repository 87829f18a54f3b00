from mailguard.edge.config.rules_file import read_rules

TEXT = """
internal_domains = ["corp.local"]

[[rule]]
name = "external"
when = { to = "external" }
delay = "5m"

[[rule]]
name = "partners"
when = { to = "@lawfirm.example" }
exempts = ["external"]

[[rule]]
name = "press"
action = "approve"
approvers = ["press@corp.local", "two..dots@corp.example"]
"""


def told(text: str) -> list[str]:
    return [str(each) for each in read_rules(text.encode(), "rules.toml").remarks]


def test_what_may_surprise_is_told() -> None:
    exempts, odd = sorted(told(TEXT), key=lambda line: int(line.split(":")[1]))
    assert exempts.startswith('rules.toml:12: rule "partners".exempts: one recipient')
    assert odd.startswith('rules.toml:17: rule "press".approvers: two..dots@corp.example: ')


def test_nothing_is_told_of_what_is_usual() -> None:
    usual = TEXT.replace('{ to = "@law', '{ to_all = "@law').replace("two..dots", "two.dots")
    assert told(usual) == []


def test_that_everybody_is_external_is_told() -> None:
    assert told('margin = "3s"') == [
        "rules.toml: internal_domains: none is named, so everybody is external; expected your own domains"
    ]

from datetime import UTC, datetime

import pytest

from mailguard.core.facts import Body, Headers
from tests.facts import conditional, facts, matches


@pytest.mark.parametrize(
    ("when", "sender", "holds"),
    [
        ('from = "a@corp.example"', "A@CORP.example", True),
        ('from = "internal"', "a@corp.example", True),
        ('from = "internal"', "a@evil.example", False),
        ('from = "external"', "", True),
        ('from = "internal"', "", False),
    ],
)
def test_from_is_the_envelope_sender(when: str, sender: str, holds: bool) -> None:
    forged = Headers(from_=("a@corp.example",))
    assert matches(when, facts(sender=sender, headers=forged)) is holds


def test_a_forged_from_header_lets_nobody_out() -> None:
    policy = conditional('to = "external"', 'unless = { from = "ceo@corp.example" }\ndelay = "5m"')
    forged = facts(sender="intern@corp.example", headers=Headers(from_=("ceo@corp.example",)))
    assert policy.rules[0].matches(policy.case(forged)) == frozenset({0})


@pytest.mark.parametrize(
    ("when", "to", "holds"),
    [
        ('to = "external"', ("x@corp.example", "y@client.example"), True),
        ('to = "external"', ("x@corp.example",), False),
        ('to = ["@a.example", "@b.example"]', ("x@b.example",), True),
        ('to_all = "internal"', ("x@corp.example", "y@client.example"), False),
        ('to_all = ["internal", "@client.example"]', ("x@corp.example", "y@client.example"), True),
        ("recipients_over = 1", ("x@a.example", "y@a.example"), True),
        ("recipients_over = 1", ("x@a.example", "X@A.example"), False),
        ("external_over = 1", ("x@a.example", "y@corp.example"), False),
        ("external_over = 1", ("x@a.example", "y@b.example"), True),
        ("external_over = 0", ("not an address",), True),
    ],
)
def test_recipients(when: str, to: tuple[str, ...], holds: bool) -> None:
    assert matches(when, facts(*to)) is holds


def test_visible_are_to_and_cc_and_not_the_envelope() -> None:
    seen = Headers(to=("x@a.example", "X@a.example"), cc=("y@b.example", "z@corp.example"))
    assert matches("visible_external_over = 1", facts("x@a.example", headers=seen))
    assert not matches("visible_external_over = 2", facts("x@a.example", headers=seen))
    hidden = facts(*(f"r{number}@a.example" for number in range(20)), headers=Headers(to=("x@a.example",)))
    assert not matches("visible_external_over = 1", hidden)


@pytest.mark.parametrize(
    ("when", "user", "holds"),
    [
        ('user = "Anne"', "anne", True),
        ('user = "newsdesk-*"', "NewsDesk-7", True),
        ('user = "newsdesk-*"', "xnewsdesk-7", False),
        ('user = "*"', None, False),
    ],
)
def test_user_is_the_login(when: str, user: str | None, holds: bool) -> None:
    assert matches(when, facts(user=user)) is holds


@pytest.mark.parametrize(
    ("when", "headers", "holds"),
    [
        ('subject = "results"', Headers(subject="Q3 Résults!"), True),
        ('subject = ["x", "/Q[1-4]/"]', Headers(subject="our Q3"), True),
        ('subject = "/q[1-4]/"', Headers(subject="our Q3"), False),
        ('subject = "/q[1-4]/i"', Headers(subject="our Q3"), True),
        ('header = { X-Class = "secret" }', Headers(fields={"x-class": ("Top Secret",)}), True),
        ('header = { X-Class = "secret" }', Headers(fields={"x-other": ("secret",)}), False),
        ('header = { X-Class = "*" }', Headers(fields={"x-class": ("",)}), True),
        ('header = { X-Class = "*" }', Headers(), False),
        ('header = { A = "1", B = "2" }', Headers(fields={"a": ("1",)}), False),
        ('header = { A = "1", B = "2" }', Headers(fields={"a": ("1",), "b": ("3", "2")}), True),
        ('importance = "high"', Headers(importance="high"), True),
        ('importance = ["high", "low"]', Headers(), False),
        ("is_reply = true", Headers(in_reply_to=("x@y",)), True),
        ("is_reply = true", Headers(), False),
        ("is_reply = false", Headers(), True),
        ('finding = "unreadable"', Headers(), False),
    ],
)
def test_headers(when: str, headers: Headers, holds: bool) -> None:
    assert matches(when, facts(headers=headers)) is holds


@pytest.mark.parametrize(
    ("when", "body", "holds"),
    [
        ('body = "project falcon"', Body(text="About Project\n Falcon"), True),
        ('body = "project falcon"', Body(own_text="project falcon"), False),
        ('attachment = "*.XLSX"', Body(attachments=("Plan.xlsx",)), True),
        ('attachment = "*.xlsx"', Body(attachments=("plan.xlsx.exe",)), False),
        ('attachment = "résumé*"', Body(attachments=("Resume.pdf",)), True),
        ('attachment = "*"', Body(attachments=("",)), True),
        ('attachment = "*"', Body(), False),
    ],
)
def test_the_inside(when: str, body: Body, holds: bool) -> None:
    assert matches(when, facts(body=body)) is holds
    assert conditional(when).needs_body


def test_size_is_over_and_not_equal() -> None:
    assert matches("size_over = 999", facts(size=1000))
    assert not matches("size_over = 1000", facts(size=1000))


def test_during_is_when_it_came_in() -> None:
    sunday = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert matches('during = ["fri UTC", "mon Europe/Paris"]', facts(now=sunday))
    assert not matches('during = "mon UTC"', facts(now=sunday))


def test_a_finding_is_a_condition() -> None:
    policy = conditional('finding = ["unreadable"]')
    case = policy.case(facts(), ())
    assert policy.rules[0].matches(case) is None

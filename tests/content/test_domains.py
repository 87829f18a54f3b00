"""One domain in all its spellings gives one decision; what only looks like it gives that of a stranger."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.judge import judge
from mailguard.core.policy import Policy
from tests.facts import facts, policy

RULES = """
[[rule]]
name = "external"
when = { to = "external" }
delay = "5m"

[[rule]]
name = "partner"
when = { to = ["@bücher.example", "@οδοσ.example"] }
delay = "1h"
"""


@pytest.fixture(scope="module")
def rules() -> Policy:
    """With a partner whose name is not ASCII."""
    return policy(RULES)


@pytest.mark.parametrize(
    "domain",
    [
        "bücher.example",
        "BÜCHER.EXAMPLE",
        "bu\u0308cher.example",
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.Example",
        "bücher.example.",
        "bücher\u3002example",
        "bücher\uff0eexample",
        "bücher\uff61example\u3002",
        "xn--bcher-kva\u3002example",
        "\uff42ücher.example",
        "ΟΔΟΣ.example",
        "οδοσ.example",
    ],
)
def test_every_spelling_of_a_partner_is_the_partner(rules: Policy, domain: str) -> None:
    assert judge(facts(f"x@{domain}"), rules).rules == ("external", "partner")


@pytest.mark.parametrize(
    "domain",
    ["corp.example", "CORP.example.", "corp\u3002example", "\uff43orp.example", "corp.example\uff0e"],
)
def test_every_spelling_of_our_own_is_inside(rules: Policy, domain: str) -> None:
    assert judge(facts(f"x@{domain}"), rules).rules == ()


@pytest.mark.parametrize(
    "domain",
    [
        "c\u043erp.example",
        "corp\u200b.example",
        "corp\u00ad.example",
        "\u202eelpmaxe.proc",
        "corp.example\u202e",
        "corp.example\x00",
        "corp.example\x85",
        "corp.example\x1f",
        "corp.example\u2028",
        "corp.example\u3000",
        "xn--corp-.example",
        "corp.example.evil.example",
        "evilcorp.example",
        "corp..example",
        "corp.exa\u0301mple",
        "[corp.example]",
        "corp.example:25",
        "corp.example/",
        "",
    ],
)
def test_what_only_looks_like_our_own_is_outside(rules: Policy, domain: str) -> None:
    assert judge(facts(f"x@{domain}"), rules).rules == ("external",)


@given(st.text(max_size=40))
def test_any_domain_is_judged_alike_in_any_case_and_with_a_dot_behind(text: str) -> None:
    ours = Policy(internal_domains=("corp.example",))
    text = text.strip(" \t\r\n")
    for written in (text, f"corp.example{text}", f"{text}corp.example"):
        inside = ours.internal(f"x@{written}")
        assert ours.internal(f"X@{written}") is inside
        if inside:
            assert ours.internal(f"x@{written}.")

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.edge.config.rules_checks import wrongs


def rule(**keys: Any) -> dict[str, Any]:
    return {"rule": [{"name": "one", "delay": "1m", **keys}]}


@pytest.mark.parametrize(
    "data",
    [
        {},
        rule(),
        rule(exempts=[]),
        {"rule": [{"name": "a", "exempts": ["b"]}, {"name": "b", "delay": "1m"}]},
        rule(action="confirm", expire="1d"),
        rule(action="approve", approvers=["p@corp.example"], deputies=["q@corp.example"]),
        {"rule": [{"name": "a", "action": "refuse", "text": "no"}]},
        rule(split=True, when={"to": "external"}),
        {"checks": {"stranger_in_thread": {"action": "delay"}}},
        {"checks": {"stranger_in_thread": {"delay": "1m"}}},
    ],
)
def test_what_fits_together_is_fine(data: dict[str, Any]) -> None:
    assert list(wrongs(data)) == []


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"rule": [{"name": "a"}]}, ("rule", 0)),
        (rule(text="no"), ("rule", 0, "text")),
        (rule(deputies=["p@corp.example"]), ("rule", 0, "deputies")),
        (rule(expire="1d"), ("rule", 0, "expire")),
        (rule(action="approve", approvers=[]), ("rule", 0)),
        (rule(split=True, when={"to_all": "internal"}), ("rule", 0, "split")),
        (
            {"rule": [{"name": "a", "action": "refuse", "split": True, "when": {"to": "x"}}]},
            ("rule", 0, "split"),
        ),
        (rule(exempts="one "), ("rule", 0, "exempts")),
        ({"checks": {"x": {"action": "off", "delay": "1m"}}}, ("checks", "x", "delay")),
        (
            {"checks": {"x": {"action": "confirm", "approvers": ["p@c.example"]}}},
            ("checks", "x", "approvers"),
        ),
    ],
)
def test_what_does_not_is_told_at_its_place(data: dict[str, Any], place: tuple[str | int, ...]) -> None:
    assert [each[0] for each in wrongs(data)] == [place]


def test_a_circle_is_found_whatever_its_length_and_only_there() -> None:
    chain = [{"name": f"r{at}", "delay": "1m", "exempts": [f"r{at + 1}"]} for at in range(5)]
    end = {"name": "r5", "delay": "1m"}
    assert list(wrongs({"rule": [*chain, end]})) == []
    closed = list(wrongs({"rule": [*chain, {**end, "exempts": ["r3"]}]}))
    assert [place for place, *_ in closed] == [
        ("rule", 3, "exempts"),
        ("rule", 4, "exempts"),
        ("rule", 5, "exempts"),
    ]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["rule", "name", "when", "exempts", "action", "checks", "finding", "split"]),
            inner,
        ),
    ),
)


@given(st.dictionaries(st.sampled_from(["rule", "checks", "groups"]), JSON))
def test_no_shape_is_too_strange_to_ask(data: dict[str, Any]) -> None:
    for place, problem, expected in wrongs(data):
        assert place
        assert problem
        assert expected

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mailguard.edge.config.faults import faults_of, spelled, suggestion, wrong
from mailguard.edge.config.toml_source import Place, parse_toml


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    from_: int | None = Field(default=None, alias="from")
    count: int = Field(default=1, ge=1)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    item: list[Inner] = []
    named: dict[str, Inner] = {}
    one: Inner | None = None


def told(text: str) -> list[str]:
    source = parse_toml(text.encode(), "x.toml")

    def where(place: Place) -> tuple[str, int | None]:
        return source.file, source.line(place)

    try:
        Outer.model_validate(source.data)
    except ValidationError as error:
        return [str(fault) for fault in faults_of(error, Outer, source, where)]
    return []


def test_keys_are_suggested_where_they_belong() -> None:
    assert told("[[item]]\nfrom = 1\n[[item]]\nform = 2\n[named.x]\ncuont = 1\n[one]\nxyz = 1\n") == [
        'x.toml:4: item 2.form: there is no such key; expected "from", perhaps',
        'x.toml:6: named.x.cuont: there is no such key; expected "count", perhaps',
        "x.toml:8: one.xyz: there is no such key; expected one of count, from",
    ]


def test_every_error_has_a_line_and_plain_words() -> None:
    assert told("one = 5\n[[item]]\ncount = 0\nfrom = 'x'\n") == [
        "x.toml:1: one: is no table; expected a table of keys and values",
        "x.toml:3: item 1.count: is out of range; expected 1 or more",
        "x.toml:4: item 1.from: is no whole number; expected a whole number",
    ]


def test_a_place_is_said_with_the_name_of_its_rule() -> None:
    data: dict[str, Any] = {"rule": [{"name": "press", "when": {"to": ["a", "b"]}}, {}]}
    assert spelled(("rule", 0, "when", "to", 1), data) == 'rule "press".when.to'
    assert spelled(("rule", 1, "name"), data) == "rule 2.name"
    assert spelled(("rule", 7, "name"), data) == "rule.name"
    assert spelled((), data) == ""


def test_a_suggestion_is_the_nearest_or_all_there_is() -> None:
    assert suggestion("subjct", ["subject", "body"]) == '"subject", perhaps'
    assert suggestion("zzz", ["subject", "body"]) == "one of body, subject"
    assert suggestion("zzz", []) == "nothing here"


def test_braces_in_a_problem_stay_braces() -> None:
    assert wrong("{a} {b", "{c}").message() == "{a} {b"

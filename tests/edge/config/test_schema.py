import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from mailguard.core.errors import ConfigurationError
from mailguard.edge.config import parse_rules
from mailguard.edge.config.rules_file import read_rules
from mailguard.edge.config.schema import schemas, write

ROOT = Path(__file__).parents[3]


def test_the_shipped_schemas_are_fresh() -> None:
    """Where this fails: python -m mailguard.edge.config.schema"""
    for name, text in schemas().items():
        assert (ROOT / "config" / name).read_text(encoding="utf-8") == text


def test_it_writes_both(tmp_path: Path) -> None:
    write(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.glob("*.json")} == schemas()


def test_there_is_no_null_in_toml() -> None:
    assert "null" not in "".join(schemas().values())


def test_no_secret_is_a_default() -> None:
    assert "*****" not in "".join(schemas().values())


@pytest.mark.parametrize(
    "example", sorted((ROOT / "config/examples").glob("*.toml")), ids=lambda path: path.stem
)
def test_an_example_is_a_policy_without_a_remark(example: Path) -> None:
    rules = read_rules(example.read_bytes(), example.name)
    assert len(rules.policy.rules) >= 2
    assert rules.remarks == ()


@pytest.mark.parametrize(
    "text",
    [
        'margin = "5min"',
        "margn = '3s'",
        '[[rule]]\nname = "a"\ndelay = 5',
        '[[rule]]\nname = "a"\ndelay = "1m"\naction = "hold"',
        '[[rule]]\nname = "a"\ndelay = "1m"\nwhen = { to = 5 }',
        '[[rule]]\nname = "a"\ndelay = "1m"\nwhen = { size_over = -1 }',
        '[[rule]]\ndelay = "1m"',
        "[checks]\nx = {}",
    ],
)
def test_an_editor_and_the_guard_agree_on_what_is_wrong(text: str) -> None:
    schema = json.loads(schemas()["rules.schema.json"])
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(tomllib.loads(text)))
    with pytest.raises(ConfigurationError):
        parse_rules(text, "rules.toml")

"""The configuration files that are shipped: each fits its schema, and names it for editors."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest

CONFIG = Path(__file__).parent.parent / "config"
FILES = sorted(CONFIG.rglob("*.toml"))
NAMED = re.compile(r"^#:schema (\S+)$", re.MULTILINE)


def schema_of(path: Path) -> dict[str, object]:
    """The schema that the file names in its first line, relative to itself."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = NAMED.match(first)
    assert named, f"{path.name}: the first line names no schema"
    schema: dict[str, object] = json.loads((path.parent / named[1]).read_text(encoding="utf-8"))
    return schema


def test_both_files_are_there() -> None:
    assert {"mailguard.toml", "rules.toml"} <= {path.name for path in CONFIG.glob("*.toml")}


@pytest.mark.parametrize("path", sorted(CONFIG.rglob("*.schema.json")), ids=lambda path: path.name)
def test_a_schema_is_a_schema(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validators.validator_for(schema).check_schema(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CONFIG).as_posix())
def test_a_file_fits_its_schema(path: Path) -> None:
    schema = schema_of(path)
    checker = jsonschema.validators.validator_for(schema)(schema)
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    assert [f"{error.json_path}: {error.message}" for error in checker.iter_errors(data)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CONFIG).as_posix())
def test_a_misspelt_key_does_not_fit(path: Path) -> None:
    schema = schema_of(path)
    checker = jsonschema.validators.validator_for(schema)(schema)
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    assert list(checker.iter_errors({**data, "interal_domains": []}))

"""The editors' JSON schemas, made from the models by `python -m mailguard.edge.config.schema [DIRECTORY]`."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mailguard.edge.config.rules_model import RulesDocument
from mailguard.edge.config.settings_model import Settings

_MODELS: dict[str, type[BaseModel]] = {
    "mailguard.schema.json": Settings,
    "rules.schema.json": RulesDocument,
}


def schemas() -> dict[str, str]:
    """Each schema file's name and text."""
    return {name: _text(model) for name, model in _MODELS.items()}


def _text(model: type[BaseModel]) -> str:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_plain(model.model_json_schema())}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _plain(node: Any) -> Any:
    """The schema as TOML needs it: no null, and no titles that only repeat the key."""
    if isinstance(node, list):
        return [_plain(each) for each in node if each != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    kept = {key: _plain(value) for key, value in node.items() if not _noise(key, value)}
    choices = kept.get("anyOf")
    if isinstance(choices, list) and len(choices) == 1:
        return {**choices[0], **{key: value for key, value in kept.items() if key != "anyOf"}}
    return kept


def _noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)


def write(directory: Path) -> None:
    """Write both schema files."""
    for name, text in schemas().items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "config"))

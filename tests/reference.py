"""Writes the tables of docs/reference from the code itself: `python -m tests.reference --write`.

A page is prose by hand with tables between marks; tests/test_docs.py fails when a table lags behind.
"""

import argparse
import ast
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from mailguard.cli.main import verbs
from mailguard.core.checks import CHECKS, Check
from mailguard.core.durations import spelled
from mailguard.core.states import MOVES
from tests import reference_http

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "reference"

# The parts that answer SMTP clients.
ANSWERING = ("core", "flow", "edge/smtp_in")

_BLOCK = re.compile(r"(<!-- table: (?P<name>[\w.]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_REPLY = re.compile(r"(?P<code>[2-5]\d\d) (?P<status>[245]\.\d\.\d+) (?P<text>.+)", re.DOTALL)

Row = Sequence[str]
Schema = Mapping[str, Any]


def fresh(page: str) -> str:
    """The page with every table as it should stand."""
    return _BLOCK.sub(lambda match: f"{match[1]}\n{TABLES[match['name']]()}\n{match[3]}", page)


def table(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table, followed by nothing."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


# The command line


def commands(
    group: click.Group | None = None, path: str = "mailguard"
) -> Iterator[tuple[str, click.Command]]:
    """Every verb with the words that call it, in the order in which the program lists them."""
    group = group or verbs
    for name in group.list_commands(click.Context(group)):
        command = group.commands[name]
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _verbs() -> str:
    return "\n".join(f"## {words}\n\n{_verb(words, command)}" for words, command in commands())


def _verb(words: str, command: click.Command) -> str:
    context = click.Context(command)
    usage = " ".join([words, *command.collect_usage_pieces(context)])
    rows = [
        (f"`{name}`", text)
        for parameter in command.get_params(context)
        if (record := parameter.get_help_record(context))
        for name, text in [record]
        if text and "--help" not in name
    ]
    return f"{_help(command)}\n\n```\n{usage}\n```\n\n{table(('option', 'what'), rows) if rows else ''}"


def _help(command: click.Command) -> str:
    # Click's mark for a paragraph whose lines stay as they are.
    return inspect.cleandoc((command.help or "").replace("\b\n", ""))


# The configuration


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key of a configuration file, by its dotted path.

    `table` is true for a table whose keys follow; `like` is the path of another table with the same keys.
    """

    path: str
    said: Schema
    table: bool = False
    like: str = ""


def keys(name: str) -> Iterator[Key]:
    """Every key that the shipped schema of this name knows; a table comes before its keys."""
    root: Schema = json.loads((ROOT / "config" / name).read_text(encoding="utf-8"))
    yield from _keys(root, root, "", {})


def _keys(schema: Schema, root: Schema, path: str, told: dict[str, str]) -> Iterator[Key]:
    for name, said in schema.get("properties", {}).items():
        here, inner = f"{path}{name}", resolved(said, root)
        if inner.get("type") == "array" and "properties" in resolved(inner.get("items", {}), root):
            here, inner = f"{here}[]", resolved(inner["items"], root)
        if "properties" not in inner:
            yield Key(path=here, said={**inner, **said})
            continue
        same = json.dumps(inner)
        yield Key(path=here, said={**inner, **said}, table=same not in told, like=told.get(same, ""))
        if same not in told:
            told[same] = here
            yield from _keys(inner, root, f"{here}.", told)


def resolved(schema: Schema, root: Schema) -> Schema:
    """What a schema says in full: behind a reference, or behind "this or nothing"."""
    for branch in schema.get("anyOf", ()):
        if "$ref" in branch:
            return resolved(branch, root)
    if "$ref" not in schema:
        return schema
    found: Any = root
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return resolved(found, root)


def _configuration(name: str) -> str:
    rows = [
        (
            f"`{key.path}`",
            f"as `{key.like}`" if key.like else _type(key.said),
            _default(key),
            _description(key),
        )
        for key in keys(name)
        if not key.table
    ]
    return table(("key", "type", "default", "what"), rows)


def _description(key: Key) -> str:
    return str(key.said.get("description", ""))


def _type(said: Schema) -> str:
    if "enum" in said or "const" in said:
        return ", ".join(f"`{value}`" for value in said.get("enum", [said.get("const")]))
    if "anyOf" in said:
        kinds = [_type(branch) for branch in said["anyOf"] if branch.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if said.get("type") == "array":
        return f"list of {_type(said.get('items', {}))}"
    if said.get("type") == "object":
        return "table"
    if said.get("type") == "string" and "pattern" in said:
        return "duration"
    return str(said.get("type", ""))


def _default(key: Key) -> str:
    known = not key.like and key.said.get("default") is not None
    return f"`{json.dumps(key.said['default'])}`" if known else ""


# The checks, the states, the SMTP replies


def _checks() -> str:
    rows = [(f"`{check.code}`", _demand(check), _purpose(check)) for check in CHECKS]
    return table(("check", "unless configured", "what it finds"), rows)


def _demand(check: Check) -> str:
    return f"`{check.action}`" + (f" for `{spelled(check.delay)}`" if check.delay else "")


def _purpose(check: Check) -> str:
    return inspect.getdoc(inspect.getmodule(check.run)) or ""


def _moves() -> str:
    rows = [
        (f"`{move}`", f"`{before}`", ", ".join(f"`{after}`" for after in sorted(afters)))
        for move, steps in MOVES.items()
        for before, afters in steps.items()
    ]
    return table(("move", "from", "to one of"), rows)


def replies() -> dict[str, set[str]]:
    """Every SMTP reply that a client may get, as the source has it: code and status, with their texts."""
    found: dict[str, set[str]] = {}
    for path in (path for part in ANSWERING for path in sorted((ROOT / "mailguard" / part).rglob("*.py"))):
        for text in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            if match := _REPLY.fullmatch(text):
                found.setdefault(f"{match['code']} {match['status']}", set()).add(match["text"])
    return found


def _texts(node: ast.AST) -> Iterator[str]:
    """Every text of a module, and the arguments of every reply that is put together, as one text."""
    if isinstance(node, ast.Constant | ast.JoinedStr):
        yield _text(node)
        return
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Reply", "SyntaxRefused"):
        parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        yield " ".join(map(_text, parts))
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def _text(node: ast.expr) -> str:
    """What is constant of a text, and `<...>` for what is put in."""
    match node:
        case ast.Constant(value=bytes() as value):
            return value.decode("ascii", "replace").strip()
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=values):
            return "".join(map(_text, values))
        case ast.BoolOp(values=values):
            return " or ".join(map(_text, values))
        case ast.FormattedValue(value=value):
            return _text(value)
        case ast.Call(func=function):
            return _text(function)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return f"<{name.strip('_').lower()}>"
    return "<...>"


def _replies() -> str:
    rows = [
        (f"`{reply}`", ", ".join(f"`{text}`" for text in sorted(texts)))
        for reply, texts in sorted(replies().items())
    ]
    return table(("reply", "texts"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "verbs": _verbs,
    "mailguard.toml": lambda: _configuration("mailguard.schema.json"),
    "rules.toml": lambda: _configuration("rules.schema.json"),
    "checks": _checks,
    "moves": _moves,
    "replies": _replies,
    "requests": lambda: table(("request", "what", "takes", "answer"), reference_http.requests()),
    "models": lambda: table(("value", "fields", "what"), reference_http.models()),
    "metrics": lambda: table(("metric", "kind", "labels", "what"), reference_http.metrics()),
}


def main() -> None:
    """Tell which pages lag behind the code, or write them anew."""
    parser = argparse.ArgumentParser(description="The tables of docs/reference.")
    parser.add_argument("--write", action="store_true", help="write the pages anew")
    write = parser.parse_args().write
    lagging = [
        page
        for page in sorted(PAGES.glob("*.md"))
        if fresh(page.read_text("utf-8")) != page.read_text("utf-8")
    ]
    for page in lagging:
        print(f"{'wrote' if write else 'lags behind'}: {page.relative_to(ROOT)}")
        if write:
            page.write_text(fresh(page.read_text("utf-8")), encoding="utf-8")
    sys.exit(bool(lagging) and not write)


if __name__ == "__main__":
    main()

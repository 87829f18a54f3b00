"""What docs/reference/http.md says of the JSON interface and of the metrics, from the code itself."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from fastapi import FastAPI

from mailguard.core.states import MessageState
from mailguard.edge.counting import CountingLog
from mailguard.edge.oplog import LogFormat, configure
from mailguard.edge.web import api, api_access
from mailguard.edge.web.metrics import Snapshot
from mailguard.edge.web.parts import Parts

Schema = Mapping[str, Any]


def document() -> dict[str, Any]:
    """The OpenAPI document, which no part of a guard is needed for."""
    app = FastAPI(title="mailguard", version="1")
    nothing = cast("Parts", None)
    app.include_router(api.router(nothing))
    app.include_router(api_access.router(nothing))
    return app.openapi()


def requests() -> Iterator[tuple[str, str, str, str]]:
    """Every request: what it is, what it does, what it takes, what it is answered with."""
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            asked = [f"`?{one['name']}`" for one in operation.get("parameters", ()) if one["in"] == "query"]
            asked += [f"`{name}`" for name in _named(_content(operation.get("requestBody", {})))]
            answered = _answered(operation["responses"]["200"])
            yield f"`{method.upper()} {path}`", operation["description"], " ".join(asked), answered


def _content(said: Schema) -> Schema:
    return cast("Schema", said.get("content", {}).get("application/json", {}).get("schema", {}))


def _named(schema: Schema) -> list[str]:
    """The models that a schema names."""
    return re.findall(r"#/components/schemas/(\w+)", str(schema))


def _answered(said: Schema) -> str:
    schema = _content(said)
    many = "list of " if schema.get("type") == "array" else ""
    names = [f"{many}`{name}`" for name in _named(schema) if name != "Out"]
    others = [f"`{kind}`" for kind in said.get("content", {}) if kind != "application/json"]
    return " or ".join([*names, *others]) or "`object`"


def models() -> Iterator[tuple[str, str, str]]:
    """Every model: its name, its fields (`?` behind those that need not be there), what it is."""
    for name, said in document()["components"]["schemas"].items():
        if not (fields := said.get("properties")):
            continue
        needed = said.get("required", ())
        listed = ", ".join(f"`{field}`" + ("" if field in needed else "?") for field in fields)
        yield f"`{name}`", listed, said.get("description", "")


def metrics() -> Iterator[tuple[str, str, str, str]]:
    """Every metric: its name, its kind, its labels, what it counts."""
    log = CountingLog(configure(LogFormat.JSON, "error"))
    status = {
        "messages": {state.value: 0 for state in MessageState},
        "overdue": 0,
        "oldest_overdue": None,
        "rules": [],
        "reload_errors": [],
    }
    for family in Snapshot(status, log, datetime.now(UTC), 0.0).collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        # A family knows them from its first sample on only, and of its own.
        labels = getattr(family, "_labelnames", ())
        yield f"`{name}`", family.type, ", ".join(f"`{one}`" for one in labels), family.documentation

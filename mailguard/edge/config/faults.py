"""From pydantic's errors to Faults that name file, line and key, and say what was expected."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from mailguard.core.errors import Fault
from mailguard.edge.config.toml_source import Place, TomlSource

# Where a value stands: the file (or environment variable) and the line.
Where = Callable[[Place], tuple[str, int | None]]

# Of pydantic's messages, those that a person can meet here: what is wrong, and what was expected.
_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "missing": ("is missing", "a value"),
        "string_type": ("is no text", "text in quotes"),
        "int_type": ("is no whole number", "a whole number"),
        "int_parsing": ("is no whole number", "a whole number"),
        "int_from_float": ("is no whole number", "a whole number"),
        "bool_type": ("is neither true nor false", "true or false, without quotes"),
        "bool_parsing": ("is neither true nor false", "true or false"),
        "list_type": ("is no list", "a list in square brackets"),
        "tuple_type": ("is no list", "a list in square brackets"),
        "dict_type": ("is no table", "a table of keys and values"),
        "model_type": ("is no table", "a table of keys and values"),
        "model_attributes_type": ("is no table", "a table of keys and values"),
        "path_type": ("is no path", "a path in quotes"),
    }
)


def wrong(problem: str, expected: str) -> PydanticCustomError:
    """The error for a validator to raise: what is wrong with the value, and what was expected."""
    # Passed as context, since pydantic would take braces in the text for places to fill in.
    return PydanticCustomError("wrong", "{problem}", {"problem": problem, "expected": expected})


def fault(where: Where, place: Place, key: str, problem: str, expected: str) -> Fault:
    """A fault at a place that no validator was in charge of."""
    file, line = where(place)
    return Fault(file=file, line=line, key=key, problem=problem, expected=expected)


def faults_of(
    error: ValidationError, model: type[BaseModel], source: TomlSource, where: Where
) -> tuple[Fault, ...]:
    """Every error of a validation, in the order of the file."""
    faults = [
        _fault(details, model, source.data, where)
        for details in error.errors(include_url=False, include_input=False)
    ]
    return in_order(faults)


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Each fault once, by file and line."""
    return tuple(sorted(dict.fromkeys(faults), key=lambda each: (each.file, each.line or 0, each.key)))


def _fault(details: ErrorDetails, model: type[BaseModel], data: object, where: Where) -> Fault:
    place: Place = details["loc"]
    problem, expected = _told(details, model)
    # A missing value has no line; that of its table is the nearest.
    return fault(where, place, spelled(place, data), problem, expected)


def _told(details: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "wrong":
        return str(context["problem"]), str(context["expected"])
    if kind == "extra_forbidden":
        return "there is no such key", suggestion(str(details["loc"][-1]), _keys(model, details["loc"][:-1]))
    if kind in ("literal_error", "enum"):
        return "is not one of the words it can be", str(context["expected"])
    if kind in _RANGES:
        return "is out of range", _RANGES[kind].format(next(iter(context.values())))
    return _WORDS.get(kind, (details["msg"][:1].lower() + details["msg"][1:], ""))


_RANGES = {
    "greater_than_equal": "{} or more",
    "less_than_equal": "{} or less",
    "greater_than": "more than {}",
    "less_than": "less than {}",
}


def suggestion(word: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown word: the one that looks like it, or the list."""
    names = sorted(known)
    if near := get_close_matches(word, names, n=1, cutoff=0.7):
        return f'"{near[0]}", perhaps'
    return "one of " + ", ".join(names) if names else "nothing here"


def spelled(place: Place, data: object) -> str:
    """A place as a person would say it: `smtp.listen`, or `rule "press".when.to` for a named rule."""
    words: list[str] = []
    for part in place:
        data = _into(data, part)
        if isinstance(part, str):
            words.append(part)
        elif isinstance(data, dict) and words:
            name = data.get("name")
            words[-1] += f' "{name}"' if isinstance(name, str) and name else f" {part + 1}"
    return ".".join(words)


def _into(data: object, part: str | int) -> object:
    if isinstance(data, dict):
        return data.get(part)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return None


def _keys(model: type[BaseModel], place: Place) -> list[str]:
    """The keys that the table at this place can have."""
    found: Any = model
    for part in place:
        fields = {field.alias or name: field for name, field in found.model_fields.items()}
        if isinstance(part, str) and part in fields:
            found = _model(fields[part].annotation) or found
    return [field.alias or name for name, field in found.model_fields.items()]


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as `list[Rule]` or `When | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((inner for inner in map(_model, get_args(annotation)) if inner is not None), None)

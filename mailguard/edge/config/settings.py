"""mailguard.toml: found, read, checked as a whole, with the environment and the secret files put in."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_settings import EnvSettingsSource

from mailguard.core.errors import ConfigurationError, Fault
from mailguard.edge.config import locate
from mailguard.edge.config.faults import Where, fault, faults_of, in_order, spelled, suggestion
from mailguard.edge.config.outbound_model import DraftsSettings, NotifySettings
from mailguard.edge.config.rules_file import RulesFile
from mailguard.edge.config.settings_checks import (
    drafts_wrongs,
    notify_wrongs,
    smtp_wrongs,
    upstream_wrongs,
    web_wrongs,
)
from mailguard.edge.config.settings_model import Settings, SmtpSettings, UpstreamSettings, WebSettings
from mailguard.edge.config.toml_source import Place, TomlSource, read_toml

__all__ = ["Settings", "check_config", "load_settings"]

RULES = "rules.toml"
PREFIX = "MAILGUARD_"

# Each can also be in a file of its own, which <key>_file names.
SECRETS = (("upstream", "password"), ("store", "url"), ("drafts", "password"))
# The same in every table of a list of tables.
LISTED_SECRETS = (("notify", "url"), ("notify", "secret"))

# A place, what is wrong there, and what was expected.
Wrong = tuple[Place, str, str]


def load_settings(config: Path | str | None = None) -> Settings:
    """The settings that are in force with this file (None: the one that `locate.find` finds).

    Raises ConfigurationError with every fault in the file and in the environment.
    """
    found = locate.find(config)
    source = _source(found)
    where = _finder(source)
    told = {key: value for key, value in _told(source, found).items() if not key.startswith("_")}
    data, twice = _with_secrets(told)
    faults = [*_stray_keys(source.data, where), *_stray_variables()]
    faults += [
        fault(where, place, spelled(place, source.data), *words)
        for place, *words in (*twice, *_between_keys(data))
    ]
    try:
        settings = Settings(**data)
    except ValidationError as error:
        raise ConfigurationError(in_order([*faults, *faults_of(error, Settings, source, where)])) from None
    if faults:
        raise ConfigurationError(in_order(faults))
    return settings


def check_config(config: Path | str | None = None) -> tuple[Fault, ...]:
    """Every fault in both files; nothing where they are good."""
    faults: tuple[Fault, ...] = ()
    try:
        rules = load_settings(config).rules_file
    except ConfigurationError as error:
        faults = error.faults
        rules = _rules_of_broken(config)
    try:
        RulesFile.load(rules)
    except ConfigurationError as error:
        faults += error.faults
    return faults


def _rules_of_broken(config: Path | str | None) -> Path | None:
    """Where the rules of a broken mailguard.toml are, as far as it can be read."""
    try:
        found = locate.find(config)
        named = _told(_source(found), found).get("rules_file")
    except ConfigurationError:
        return None
    return Path(named) if isinstance(named, str) and Path(named).is_file() else None


def _source(found: Path | None) -> TomlSource:
    return TomlSource(file="the embedded default", data={}, lines={}) if found is None else read_toml(found)


def _told(source: TomlSource, found: Path | None) -> dict[str, Any]:
    """All that file and environment say; the environment goes before the file."""
    base = Path.cwd() if found is None else found.parent
    data = _resolved(source.data, base, Settings)
    # Beside the file, where there is one: nobody has to name what has its usual name.
    if found is not None and (base / RULES).is_file():
        data.setdefault("rules_file", str(base / RULES))
    for name, value in EnvSettingsSource(Settings)().items():
        table = data.get(name)
        data[name] = {**table, **value} if isinstance(table, dict) and isinstance(value, dict) else value
    return data


def _resolved(data: Mapping[str, object], base: Path, model: type[BaseModel]) -> dict[str, Any]:
    """The file's values with its relative paths, and those of the defaults, made relative to `base`."""
    resolved = dict(data)
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            table = resolved.setdefault(name, {})
            if isinstance(table, dict):
                resolved[name] = _resolved(table, base, section)
        elif (listed := _listed_model(section)) is not None:
            tables = resolved.get(name)
            if isinstance(tables, list):
                resolved[name] = [
                    _resolved(table, base, listed) if isinstance(table, dict) else table for table in tables
                ]
        elif _is_path(section):
            path = resolved.get(name, field.default)
            if isinstance(path, str | Path):
                resolved[name] = str(base / Path(path).expanduser())
    return resolved


def _listed_model(annotation: object) -> type[BaseModel] | None:
    """The model of the tables in an annotation such as `tuple[NotifySettings, ...]`."""
    inner = get_args(annotation)[:1]
    return inner[0] if inner and isinstance(inner[0], type) and issubclass(inner[0], BaseModel) else None


def _is_path(annotation: object) -> bool:
    return annotation is Path or any(_is_path(inner) for inner in get_args(annotation))


def _with_secrets(told: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wrong]]:
    """The same with the secrets that are in files of their own, and those that are given twice."""
    data, twice = dict(told), list[Wrong]()
    for section, key in SECRETS:
        if isinstance(table := told.get(section), dict):
            data[section] = _with_secret(table, key, (section,), twice)
    for section, key in LISTED_SECRETS:
        if isinstance(tables := data.get(section), list):
            data[section] = [
                _with_secret(table, key, (section, index), twice) if isinstance(table, dict) else table
                for index, table in enumerate(tables)
            ]
    return data, twice


def _with_secret(table: dict[str, Any], key: str, place: Place, twice: list[Wrong]) -> dict[str, Any]:
    if not isinstance(table.get(f"{key}_file"), str):
        return table
    if key in table:
        twice.append(((*place, key), f"{key}_file is given too", "one of the two"))
    elif secret := _first_line(Path(table[f"{key}_file"])):
        return {**table, key: secret}
    return table


def _first_line(path: Path) -> str:
    """The first line of a file, without its end; nothing where it cannot be read, which is told elsewhere."""
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError):
        return ""


def _finder(source: TomlSource) -> Where:
    """Where a value came from: an environment variable, or a line of the file."""
    variables = {name.upper(): name for name in os.environ}

    def where(place: Place) -> tuple[str, int | None]:
        keys = [part for part in place if isinstance(part, str)]
        name = PREFIX + "__".join(keys).upper()
        if name in variables and os.environ[variables[name]]:
            return variables[name], None
        return source.file, source.line(place)

    return where


def _stray_keys(data: Mapping[str, object], where: Where) -> Iterator[Fault]:
    """Keys that start with an underline would pass for pydantic-settings' own arguments."""
    for key in data:
        if key.startswith("_"):
            yield fault(where, (key,), key, "there is no such key", suggestion(key, Settings.model_fields))


def _stray_variables() -> Iterator[Fault]:
    """Variables that look like a key of ours in a section that we do not have: a slip of the finger."""
    known = [name for name, field in Settings.model_fields.items() if _is_section(field.annotation)]
    for name in os.environ:
        section, nested, _ = name.upper().removeprefix(PREFIX).partition("__")
        if name.upper().startswith(PREFIX) and nested and section.lower() not in known:
            expected = suggestion(section.lower(), known)
            problem = f"there is no section {section.lower()}"
            yield Fault(file=name, line=None, key="", problem=problem, expected=expected)


def _is_section(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _between_keys(data: Mapping[str, Any]) -> Iterator[Wrong]:
    """What is wrong between the keys of those sections whose values are good by themselves."""
    smtp = _valid(SmtpSettings, data.get("smtp", {}))
    upstream = _valid(UpstreamSettings, data.get("upstream", {}))
    for key, *words in () if smtp is None else smtp_wrongs(smtp):
        yield ("smtp", key), words[0], words[1]
    for key, *words in () if upstream is None else upstream_wrongs(upstream):
        yield ("upstream", key), words[0], words[1]
    web = _valid(WebSettings, data.get("web", {}))
    for key, *words in () if web is None else web_wrongs(web):
        yield ("web", key), words[0], words[1]
    drafts = _valid(DraftsSettings, data.get("drafts", {}))
    for key, *words in () if drafts is None else drafts_wrongs(drafts):
        yield ("drafts", key), words[0], words[1]
    yield from _between_targets(data.get("notify"))


def _between_targets(tables: object) -> Iterator[Wrong]:
    names = set[str]()
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        target = _valid(NotifySettings, table)
        if target is None:
            continue
        if target.name in names:
            yield ("notify", index, "name"), "another target has this name", "a name of its own"
        names.add(target.name)
        for key, *words in notify_wrongs(target):
            yield ("notify", index, key), words[0], words[1]


Section = TypeVar("Section", bound=BaseModel)


def _valid(model: type[Section], table: object) -> Section | None:
    try:
        return model.model_validate(table)
    except ValidationError:
        return None

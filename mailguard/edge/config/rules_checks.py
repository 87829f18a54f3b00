"""What the keys of rules.toml have to do with each other.

These questions are put to the file as it was read, before it is known to be valid, so that a person sees
every error at once: each of them keeps quiet about values that the models refuse.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from mailguard.core.checks import CHECKS
from mailguard.core.durations import duration
from mailguard.core.policy import DEFAULT_EXPIRE
from mailguard.edge.config.faults import suggestion
from mailguard.edge.config.toml_source import Place

# A place, what is wrong there, and what was expected.
Wrong = tuple[Place, str, str]
RawTable = Mapping[str, Any]

_GATES = ("confirm", "approve")


def wrongs(data: RawTable) -> Iterator[Wrong]:
    """Everything that is wrong between the keys of one file."""
    rules = [(index, rule) for index, rule in enumerate(_list(data.get("rule"))) if isinstance(rule, dict)]
    yield from _names(rules)
    yield from _circles(rules)
    for index, rule in rules:
        yield from _rule(("rule", index), rule)
        yield from _silent_findings(("rule", index), rule, _table(data.get("checks")))
    for code, check in _table(data.get("checks")).items():
        if isinstance(check, dict):
            yield from _check(("checks", code), check)


def _names(rules: Sequence[tuple[int, RawTable]]) -> Iterator[Wrong]:
    seen: set[str] = set()
    known = {rule["name"].strip() for _, rule in rules if isinstance(rule.get("name"), str)}
    for index, rule in rules:
        name = rule.get("name")
        if isinstance(name, str):
            if name.strip() in seen:
                yield ("rule", index, "name"), "another rule has this name", "a name of its own"
            seen.add(name.strip())
        for place, exempted in _texts(("rule", index, "exempts"), rule.get("exempts")):
            if exempted not in known:
                yield place, f'there is no rule "{exempted}"', suggestion(exempted, known)


def _circles(rules: Sequence[tuple[int, RawTable]]) -> Iterator[Wrong]:
    """Two rules that take each other out would leave open which of them counts."""
    exempts = {
        rule["name"].strip(): [name for _, name in _texts((), rule.get("exempts"))]
        for _, rule in rules
        if isinstance(rule.get("name"), str)
    }
    for index, rule in rules:
        name = rule.get("name")
        if isinstance(name, str) and name.strip() in _reached(name.strip(), exempts):
            yield (
                ("rule", index, "exempts"),
                "this goes round in a circle",
                "no rule that exempts this one in turn",
            )


def _reached(start: str, exempts: Mapping[str, Sequence[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = list(exempts.get(start, ()))
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(exempts.get(name, ()))
    return reached


def _rule(place: Place, rule: RawTable) -> Iterator[Wrong]:
    action = rule.get("action", "delay")
    if not {"action", "delay", "exempts"} & set(rule):
        yield place, "it does nothing", 'a delay (delay = "5m"), or an action'
    elif rule.get("action") == "delay" and "delay" not in rule:
        yield place, "the delay is missing", 'a delay, such as delay = "5m"'
    for key in ("least", "most"):
        if key in rule and rule.get("delay") != "risk":
            yield (*place, key), "only a delay by risk has bounds", f'delay = "risk", or no {key}'
    if _length(rule.get("least")) > _length(rule.get("most")) > timedelta(0):
        yield (*place, "least"), "it is longer than `most`", "the shorter of the two"
    if action == "refuse" and "delay" in rule:
        yield (*place, "delay"), "a message that is refused cannot wait", "no delay here, or another action"
    if action != "refuse" and "text" in rule:
        yield (*place, "text"), "only a refused sender would read this", 'action = "refuse", or no text'
    if rule.get("split") is True and ("to" not in _table(rule.get("when")) or action == "refuse"):
        yield (
            (*place, "split"),
            "there is nothing to split by",
            "a `to` in `when`, and an action other than refuse",
        )
    yield from _gate(place, rule, action)


def _check(place: Place, check: RawTable) -> Iterator[Wrong]:
    action = check.get("action", "delay")
    if action in ("off", "note", "refuse") and "delay" in check:
        yield (*place, "delay"), f"with the action {action} nothing waits", "no delay here, or another action"
    yield from _gate(place, check, action)


def _gate(place: Place, table: RawTable, action: object) -> Iterator[Wrong]:
    if action == "approve" and not table.get("approvers"):
        yield (
            place,
            "nobody is named who may approve",
            'approvers, such as approvers = ["press@corp.example"]',
        )
    if action != "approve":
        for key in ("approvers", "deputies", "escalate"):
            if key in table:
                yield (*place, key), "there is nothing to approve", f'action = "approve", or no {key}'
    elif "escalate" in table and not table.get("deputies"):
        yield (*place, "escalate"), "there is nobody to ask then", "deputies, or no escalate"
    elif _length(table.get("escalate")) >= (_length(table.get("expire")) or DEFAULT_EXPIRE):
        yield (*place, "escalate"), "the wait for a yes is over before", "less than `expire`"
    if action not in _GATES and "expire" in table:
        yield (*place, "expire"), "nobody is waited for", 'action = "confirm" or "approve", or no expire'


def _silent_findings(place: Place, rule: RawTable, checks: RawTable) -> Iterator[Wrong]:
    """A condition on a check that does not run would never hold, and nobody would notice."""
    off = {code for code, check in checks.items() if _table(check).get("action") == "off"}
    for part in ("when", "unless"):
        finding = _table(rule.get(part)).get("finding")
        for where, code in _texts((*place, part, "finding"), finding):
            if code in off and code in {check.code for check in CHECKS}:
                yield (
                    where,
                    f'the check "{code}" is off',
                    f'another action in [checks] {code}, such as "note"',
                )


def _length(value: object) -> timedelta:
    """A duration; nothing where it is none, which another error tells."""
    try:
        return duration(value) if isinstance(value, str) else timedelta(0)
    except ValueError:
        return timedelta(0)


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _table(value: object) -> RawTable:
    return value if isinstance(value, dict) else {}


def _texts(place: Place, value: object) -> Iterator[tuple[Place, str]]:
    """The texts of a value that is one text or a list of them, each with its place."""
    if isinstance(value, str):
        yield place, value.strip()
    for index, each in enumerate(_list(value)):
        if isinstance(each, str):
            yield (*place, index), each.strip()

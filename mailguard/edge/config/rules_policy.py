"""From a valid rules.toml to the core's Policy."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from mailguard.core import conditions as core
from mailguard.core.checks import CHECKS, Check
from mailguard.core.conditions import Condition
from mailguard.core.glob import Glob, glob
from mailguard.core.hold import Action
from mailguard.core.hours import window
from mailguard.core.patterns import Patterns, compile_patterns
from mailguard.core.policy import CheckOptions, Demand, Policy, Risk, Rule
from mailguard.core.prose import TextPattern, fold
from mailguard.core.value import replace
from mailguard.edge.config.expression import text_pattern
from mailguard.edge.config.rules_model import (
    CheckTable,
    Conditions,
    ConfidentialTable,
    RulesDocument,
    RuleTable,
    UnlikelyTable,
    VisibleTable,
)

# The bounds of `delay = "risk"` where the rule does not say.
LEAST, MOST = timedelta(seconds=10), timedelta(minutes=30)

Groups = Mapping[str, Patterns]


def policy_of(document: RulesDocument) -> Policy:
    """The policy that a valid file describes."""
    groups = {name: compile_patterns(members, {}) for name, members in document.groups.items()}
    return Policy(
        internal_domains=tuple(name.strip().lower() for name in document.internal_domains),
        margin=document.margin,
        notify=document.notify,
        keep=document.keep,
        undo=document.undo,
        remember=document.remember,
        groups=groups,
        rules=tuple(_rule(table, groups) for table in document.rule),
        checks=dict(_checks(document)),
        options=_options(document),
    )


def _options(document: RulesDocument) -> CheckOptions:
    confidential: ConfidentialTable = getattr(document.checks, "confidential_marking")  # noqa: B009
    unlikely: UnlikelyTable = getattr(document.checks, "unlikely_recipient")  # noqa: B009
    visible: VisibleTable = getattr(document.checks, "many_visible_externals")  # noqa: B009
    return CheckOptions(
        warn_per_hundred=unlikely.warn,
        visible_over=visible.over,
        confidential_words=tuple((text, text_pattern(text)) for text in confidential.words or ()),
    )


def _rule(table: RuleTable, groups: Groups) -> Rule:
    demand = Demand(
        action=Action(table.action or "delay"),
        delay=table.delay if isinstance(table.delay, timedelta) else timedelta(0),
        risk=_risk(table) if table.delay == "risk" else None,
        approvers=tuple(table.approvers),
        deputies=tuple(table.deputies),
        escalate=table.escalate,
        expire=table.expire,
    )
    return Rule(
        name=table.name,
        when=tuple(_conditions(table.when, groups)),
        unless=tuple(_conditions(table.unless, groups)),
        demand=demand,
        split=table.split,
        exempts=frozenset(name.strip() for name in table.exempts),
        text=table.text,
    )


def _risk(table: RuleTable) -> Risk:
    least = LEAST if table.least is None else table.least
    # A rule that sets the one bound above the other's default means no other.
    return Risk(least=least, most=max(least, MOST) if table.most is None else table.most)


def _conditions(table: Conditions, groups: Groups) -> Iterator[Condition]:
    """The conditions, those that cost least first: people may be hundreds, and the inside is the longest."""
    yield from _about_size(table)
    yield from _about_headers(table)
    yield from _about_people(table, groups)
    yield from _about_inside(table)


def _about_size(table: Conditions) -> Iterator[Condition]:
    if table.size_over is not None:
        yield core.SizeOver(size=table.size_over)
    if table.recipients_over is not None:
        yield core.RecipientsOver(count=table.recipients_over)
    if table.external_over is not None:
        yield core.ExternalOver(count=table.external_over)
    if table.importance is not None:
        yield core.Importance(levels=frozenset(table.importance))
    if table.is_reply is not None:
        yield core.IsReply(wanted=table.is_reply)
    if table.finding is not None:
        yield core.Found(codes=frozenset(table.finding))
    if table.during is not None:
        yield core.During(windows=tuple(window(text, ZoneInfo) for text in table.during))


def _about_people(table: Conditions, groups: Groups) -> Iterator[Condition]:
    if table.user is not None:
        yield core.User(logins=_globs(table.user))
    if table.from_ is not None:
        yield core.From(patterns=compile_patterns(table.from_, groups))
    if table.to is not None:
        yield core.To(patterns=compile_patterns(table.to, groups))
    if table.to_all is not None:
        yield core.ToAll(patterns=compile_patterns(table.to_all, groups))
    if table.visible_external_over is not None:
        yield core.VisibleExternalOver(count=table.visible_external_over)


def _about_headers(table: Conditions) -> Iterator[Condition]:
    if table.subject is not None:
        yield core.Subject(patterns=_sought(table.subject))
    for name, sought in (table.header or {}).items():
        yield core.Header(name=name.strip().lower(), patterns=_sought(sought))


def _about_inside(table: Conditions) -> Iterator[Condition]:
    if table.attachment is not None:
        yield core.Attachment(names=_globs(table.attachment))
    if table.body is not None:
        yield core.BodyText(patterns=_sought(table.body))


def _sought(texts: list[str]) -> tuple[TextPattern, ...]:
    return tuple(text_pattern(text) for text in texts)


def _globs(texts: list[str]) -> tuple[Glob, ...]:
    return tuple(glob(fold(text.strip())) for text in texts)


def _checks(document: RulesDocument) -> Iterator[tuple[str, Demand]]:
    for check in CHECKS:
        table: CheckTable = getattr(document.checks, check.code)
        if table.action != "off":
            yield check.code, _demand(table, check)


def _demand(table: CheckTable, check: Check) -> Demand:
    """What a finding does: what the file says, and the check's own default for what it does not."""
    if table.action is None and table.delay is None:
        return Demand(action=check.action, delay=check.delay)
    action = Action.NONE if table.action == "note" else Action(table.action or "delay")
    delay = check.delay if action is Action.DELAY else timedelta(0)
    demand = Demand(action=action, delay=delay if table.delay is None else table.delay, expire=table.expire)
    return replace(
        demand,
        approvers=tuple(table.approvers),
        deputies=tuple(table.deputies),
        escalate=table.escalate,
    )

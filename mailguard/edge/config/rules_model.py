"""The shape of rules.toml, as pydantic models: they check each value by itself and make the JSON schema.

What several keys have to do with each other is in rules_checks.py.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictInt,
    ValidationInfo,
    WithJsonSchema,
    create_model,
)

from mailguard.core import hours, patterns
from mailguard.core.address import parse
from mailguard.core.checks import CHECKS, UNREADABLE, Check
from mailguard.core.durations import FORM, PATTERN, duration, spelled
from mailguard.core.hold import Action
from mailguard.core.policy import DEFAULT_ESCALATE, DEFAULT_EXPIRE, Notify
from mailguard.edge.config import expression
from mailguard.edge.config.faults import suggestion, wrong

# Rules are named in SMTP replies, which are one line of at most 512 octets.
LONGEST_NAME = 60
LONGEST_TEXT = 400


class Table(BaseModel):
    """A table whose every key is known."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


def _reading(read: Callable[[str], object], expected: str) -> AfterValidator:
    """Check a text by reading it with one of the core's readers, and keep the text."""

    def check(text: str) -> str:
        try:
            read(text)
        except ValueError as error:
            raise wrong(str(error), expected) from None
        return text

    return AfterValidator(check)


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise wrong("is no duration", f"{FORM}, in quotes")
    try:
        return duration(value)
    except ValueError as error:
        raise wrong(str(error), FORM) from None


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _filled(values: list[str]) -> list[str]:
    if not values:
        raise wrong("the list is empty", "at least one value, or no such condition")
    return values


def _pattern(text: str, info: ValidationInfo) -> str:
    """An address pattern; the context of the validation names the groups of the file."""
    groups = list((info.context or {}).get("groups", ()))
    name = text.strip()[len(patterns.GROUP) :].strip()
    if text.strip().lower().startswith(patterns.GROUP) and name not in groups:
        raise wrong(f'there is no group "{name}"', suggestion(name, groups) if groups else "a [groups] table")
    return _readable_pattern(text, dict.fromkeys(groups, patterns.Patterns()), patterns.FORMS)


def _member(text: str) -> str:
    """A pattern in a group: addresses only, so that nobody has to think about circles."""
    if text.strip().lower().startswith(patterns.GROUP) or text.strip().lower() in ("internal", "external"):
        raise wrong(f'"{text}" cannot be in a group', "@domain, @*.domain, user@domain or user-*@domain")
    return _readable_pattern(text, {}, "@domain, @*.domain, user@domain or user-*@domain")


def _readable_pattern(text: str, groups: dict[str, patterns.Patterns], expected: str) -> str:
    try:
        patterns.compile_patterns([text], groups)
    except ValueError as error:
        raise wrong(str(error), expected) from None
    return text


def _person(text: str) -> str:
    if "*" in text or not parse(text).plain:
        raise wrong(f"{text!r} is no address", "a whole address, such as press@corp.example")
    return text.strip()


def _name(text: str) -> str:
    if not (text.strip() and text.isprintable() and len(text) <= LONGEST_NAME):
        raise wrong("is no name", f"1 to {LONGEST_NAME} printable characters")
    return text.strip()


def _line(text: str) -> str:
    if not (text.isprintable() and text.isascii() and len(text) <= LONGEST_TEXT):
        raise wrong("is no text for an SMTP reply", f"one line of at most {LONGEST_TEXT} ASCII characters")
    return text.strip()


def _zone(text: str) -> str:
    hours.window(text, ZoneInfo)
    return text


def _known_check(text: str) -> str:
    known = [*(check.code for check in CHECKS), UNREADABLE]
    if text not in known:
        raise wrong(f'there is no check "{text}"', suggestion(text, known))
    return text


_TEXT = {"type": "string"}
_ANY = WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]})
_ONE_OR_MORE = WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]})
# An empty list of alternatives would never hold, which nobody means to write.
_NOT_EMPTY = AfterValidator(_filled)

Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["30s", "5m", "2h", "1d"]}),
]
Delay = Annotated[
    timedelta | Literal["risk"],
    BeforeValidator(lambda value: value if value == "risk" else _duration(value)),
    WithJsonSchema({"anyOf": [{"const": "risk"}, {"type": "string", "pattern": PATTERN}]}),
]
Domain = Annotated[str, _reading(lambda text: patterns.domains((text,)), "corp.example or *.corp.example")]
Pattern = Annotated[str, AfterValidator(_pattern)]
Member = Annotated[str, AfterValidator(_member)]
Person = Annotated[str, AfterValidator(_person)]
Sought = Annotated[str, _reading(expression.text_pattern, expression.FORM)]
Hours = Annotated[str, _reading(_zone, hours.FORM)]
CheckCode = Annotated[str, AfterValidator(_known_check)]

Domains = Annotated[list[Domain], BeforeValidator(_several), _ANY]
Patterns = Annotated[list[Pattern], BeforeValidator(_several), _NOT_EMPTY, _ONE_OR_MORE]
Members = Annotated[list[Member], BeforeValidator(_several), _ANY]
People = Annotated[list[Person], BeforeValidator(_several), _ANY]
Names = Annotated[list[str], BeforeValidator(_several), _ANY]
Soughts = Annotated[list[Sought], BeforeValidator(_several), _NOT_EMPTY, _ONE_OR_MORE]
Texts = Annotated[list[str], BeforeValidator(_several), _NOT_EMPTY, _ONE_OR_MORE]
Windows = Annotated[list[Hours], BeforeValidator(_several), _NOT_EMPTY, _ONE_OR_MORE]
Codes = Annotated[list[CheckCode], BeforeValidator(_several), _NOT_EMPTY, _ONE_OR_MORE]
Level = Literal["high", "normal", "low"]
Levels = Annotated[
    list[Level],
    BeforeValidator(_several),
    _NOT_EMPTY,
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["high", "normal", "low"]},
                {"type": "array", "items": {"enum": ["high", "normal", "low"]}, "minItems": 1},
            ]
        }
    ),
]
Count = Annotated[StrictInt, Field(ge=0)]


class Conditions(Table):
    """What a message must be like. The values of a list are alternatives."""

    from_: Patterns | None = Field(default=None, alias="from")
    """The envelope sender is one of these; what the From header says never counts."""
    to: Patterns | None = None
    """At least one recipient is one of these."""
    to_all: Patterns | None = None
    """Every recipient is one of these."""
    user: Texts | None = None
    """The login is one of these; * stands for any run of characters."""
    subject: Soughts | None = None
    """One of these is in the subject: words, or a regular expression between slashes."""
    body: Soughts | None = None
    """One of these is in the text of the message."""
    header: dict[str, Soughts] | None = None
    """One of these is in the header of this name; * alone: there is such a header."""
    attachment: Texts | None = None
    """A file with a name like this is attached; * stands for any run of characters."""
    size_over: Count | None = None
    """The message has more bytes than this."""
    recipients_over: Count | None = None
    """There are more recipients than this."""
    external_over: Count | None = None
    """There are more recipients outside than this."""
    visible_external_over: Count | None = None
    """To and Cc together name more addresses outside than this."""
    importance: Levels | None = None
    """The sender marked it so: high, normal or low."""
    is_reply: StrictBool | None = None
    """It answers another message, or does not."""
    finding: Codes | None = None
    """One of these checks found something."""
    during: Windows | None = None
    """It comes in at one of these times: days, hours and a time zone, `fri 18:00-24:00 Europe/Paris`."""


class RuleTable(Table):
    """One rule."""

    name: Annotated[str, AfterValidator(_name)]
    """Its name: shown to senders, and used in `exempts`."""
    when: Conditions = Field(default_factory=Conditions)
    """It matches when all of these hold; without any, always."""
    unless: Conditions = Field(default_factory=Conditions)
    """It does not match when one of these holds."""
    action: Literal["delay", "confirm", "approve", "refuse"] | None = None
    """What happens: `delay` unless said otherwise. The strictest action of all matching rules wins."""
    delay: Delay | None = None
    """How long it waits; of all matching rules the longest wins. `risk`: the more suspect, the longer."""
    least: Duration | None = None
    """With `delay = "risk"`: how long a message waits that looks as it always does (10s)."""
    most: Duration | None = None
    """With `delay = "risk"`: how long the oddest message waits (30m)."""
    split: StrictBool = False
    """Whether only the recipients that its `to` means wait, and the others' copies leave."""
    exempts: Names = []
    """The names of the rules that do not count where this one matches."""
    approvers: People = []
    """Who may approve."""
    deputies: People = []
    """Who may approve as well; they are asked when the approvers have not answered in time."""
    escalate: Duration = Field(
        default=DEFAULT_ESCALATE, json_schema_extra={"default": spelled(DEFAULT_ESCALATE)}
    )
    """After this time without an answer the deputies are asked."""
    expire: Duration = Field(default=DEFAULT_EXPIRE, json_schema_extra={"default": spelled(DEFAULT_EXPIRE)})
    """How long it waits for a yes; then it goes back to its sender, unsent."""
    text: Annotated[str, AfterValidator(_line)] = ""
    """What a refused sender reads."""


class CheckTable(Table):
    """What a finding of a check does."""

    action: Literal["off", "note", "delay", "confirm", "approve", "refuse"] | None = None
    """`off`: the check does not run; `note`: it is only shown; the others as in a rule."""
    delay: Duration | None = None
    """How long the message waits."""
    approvers: People = []
    """Who may approve."""
    deputies: People = []
    """Who may approve as well; they are asked when the approvers have not answered in time."""
    escalate: Duration = Field(
        default=DEFAULT_ESCALATE, json_schema_extra={"default": spelled(DEFAULT_ESCALATE)}
    )
    """After this time without an answer the deputies are asked."""
    expire: Duration = Field(default=DEFAULT_EXPIRE, json_schema_extra={"default": spelled(DEFAULT_EXPIRE)})
    """How long it waits for a yes; then it goes back to its sender, unsent."""


class ConfidentialTable(CheckTable):
    """What a finding of confidential_marking does, and what it looks for."""

    words: Soughts | None = None
    """Words besides the usual ones, looked for in the subject and the text: a project's name, a label."""


class VisibleTable(CheckTable):
    """What a finding of many_visible_externals does, and when there is one."""

    over: Count = 10
    """So many outsiders may see one another's addresses."""


class UnlikelyTable(CheckTable):
    """What a finding of unlikely_recipient does, and how often there is one."""

    warn: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Of so many in a hundred messages that were meant as they are, it may speak."""


# The checks that have keys of their own.
_TABLES: dict[str, type[CheckTable]] = {
    "confidential_marking": ConfidentialTable,
    "many_visible_externals": VisibleTable,
    "unlikely_recipient": UnlikelyTable,
}


def _default(check: Check) -> dict[str, JsonValue]:
    if check.action is Action.NONE:
        return {"action": "note"}
    default: dict[str, JsonValue] = {"action": check.action.value}
    return {**default, "delay": spelled(check.delay)} if check.delay else default


def _checks_model() -> type[Table]:
    """One key for each check, so that a new check needs no line here."""
    keys: dict[str, Any] = {
        check.code: (
            _TABLES.get(check.code, CheckTable),
            Field(
                default=_TABLES.get(check.code, CheckTable)(),
                description=f"The check {check.code}.",
                json_schema_extra={"default": _default(check)},
            ),
        )
        for check in CHECKS
    }
    return create_model("Checks", __base__=Table, __doc__="What a finding does.", **keys)


ChecksTable = _checks_model()


class RulesDocument(Table):
    """The rules of mailguard: what is held, for how long, and who has to say yes."""

    internal_domains: Domains = []
    """Our own domains; everything else, and all that cannot be understood, is external."""
    margin: Duration = Field(default=timedelta(seconds=3), json_schema_extra={"default": "3s"})
    """Mail is held this much longer than its sender is told, so that a late cancel wins."""
    notify: Notify = Notify.FLAGGED
    """When the sender of a held message gets a notice by mail."""
    keep: Duration = Field(default=timedelta(days=90), json_schema_extra={"default": "90d"})
    """How long the metadata of finished messages are kept."""
    undo: Duration = Field(default=timedelta(days=7), json_schema_extra={"default": "7d"})
    """How long a cancelled message can be restored."""
    remember: Duration = Field(default=timedelta(days=730), json_schema_extra={"default": "730d"})
    """How long the checks remember who writes to whom, and about what; 0s: not at all."""
    groups: dict[str, Members] = {}
    """Names for lists of addresses, used as group:NAME."""
    rule: list[RuleTable] = []
    """The rules; their order makes no difference."""
    checks: ChecksTable = Field(default_factory=ChecksTable)  # type: ignore[valid-type]
    """What a finding of each check does."""

"""The policy in force: what is ours, which rules there are, and what a finding of each check does."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from math import log

from mailguard.core import address
from mailguard.core.address import Address
from mailguard.core.checks import CHECKS, Check, reads_body
from mailguard.core.checks.unlikely_recipient import FEWEST_MAILS
from mailguard.core.conditions import BodyText, Case, Condition, Found, To
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding
from mailguard.core.hold import Action
from mailguard.core.patterns import Domains, Patterns, domains
from mailguard.core.prose import TextPattern
from mailguard.core.value import dataclass, replace

DEFAULT_EXPIRE = timedelta(days=2)
DEFAULT_ESCALATE = timedelta(hours=4)


class Notify(StrEnum):
    """When the sender of a held message gets a notice by mail."""

    FLAGGED = "flagged"
    ALWAYS = "always"
    NEVER = "never"


# Of a thousand clean messages, so many are more suspect than one that waits the shortest time (and one is
# where the longest begins).
_CLEAN, _SUSPECT = 200.0, 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Risk:
    """A delay that grows with suspicion: what looks as it always does waits for `least`, what is as odd as
    one clean message in a thousand for `most`, and in between each doubling of oddness adds the same."""

    least: timedelta
    most: timedelta

    def delay(self, per_thousand: float | None) -> timedelta:
        """How long a message waits that is as suspect as `per_thousand` of a thousand clean ones; one of
        which nothing is known (None) waits for `most`. Whole seconds."""
        if per_thousand is None:
            return self.most
        oddness = log(_CLEAN / min(max(per_thousand, _SUSPECT), _CLEAN)) / log(_CLEAN / _SUSPECT)
        seconds = self.least.total_seconds() + oddness * (self.most - self.least).total_seconds()
        return timedelta(seconds=round(seconds))


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What a rule or a finding asks for.

    With `risk` the `delay` is that of the message's suspicion. `delay` runs from receipt, also behind a
    `confirm` or an `approve`; those end after `expire`. `approvers` and `deputies` are the addresses of
    those who may say yes to an `approve`; the deputies are asked after `escalate`.
    """

    action: Action = Action.DELAY
    delay: timedelta = timedelta(0)
    risk: Risk | None = None
    approvers: tuple[str, ...] = ()
    deputies: tuple[str, ...] = ()
    escalate: timedelta = DEFAULT_ESCALATE
    expire: timedelta = DEFAULT_EXPIRE


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckOptions:
    """What an admin may tune of the checks themselves.

    `warn_per_hundred`: of so many in a hundred messages that were meant as they were, `unlikely_recipient`
    may speak. `visible_over`: so many outsiders may see one another's addresses. `confidential_words`: words
    besides the usual ones, as they stand in rules.toml and as patterns.
    """

    warn_per_hundred: float = 1.0
    visible_over: int = 10
    confidential_words: tuple[tuple[str, TextPattern], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule: where it matches, it makes its demand and takes the rules that it `exempts` out.

    It matches when every condition in `when` holds and none in `unless` does; without conditions, always.
    With `split` only the recipients that it concerns wait. `text` is the answer of a `refuse`.
    """

    name: str
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    demand: Demand = Demand()
    split: bool = False
    exempts: frozenset[str] = frozenset()
    text: str = ""

    def matches(self, case: Case) -> frozenset[int] | None:
        """None where it does not match; else the places of the recipients that it concerns: those that its
        `to` means, or all where it has none."""
        places: frozenset[int] | None = None
        for condition in self.when:
            if isinstance(condition, To):
                places = condition.concerned(case)
                if not places:
                    return None
            elif not condition.holds(case):
                return None
        if any(condition.holds(case) for condition in self.unless):
            return None
        return frozenset(range(len(case.recipients))) if places is None else places

    @property
    def reads_body(self) -> bool:
        """Whether it looks at the inside of the message."""
        return any(condition.reads_body for condition in (*self.when, *self.unless))

    @property
    def asks_findings(self) -> bool:
        """Whether it matches only where a check found something."""
        return any(isinstance(condition, Found) for condition in self.when)

    @property
    def searches_text(self) -> bool:
        """Whether it looks for something in the text of the message."""
        return any(isinstance(condition, BodyText) for condition in (*self.when, *self.unless))


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """Everything that rules.toml says; made new as a whole and never changed.

    `internal_domains` are `corp.example` or `*.corp.example` (what is below it, not itself). `checks` says
    what a finding does, by the check's code; a check that is not in it is off, and Action.NONE only notes.
    `margin`, `keep`, `undo` and `remember` are as in rules.toml.

    What every message asks of it is worked out once: whether a rule or a check looks at the inside of a
    message (`needs_body`), whether a rule looks for something in its text (`searches_text`), the checks that
    are on (`running`), our domains with those below which everybody is ours (`own_domains`), and the domains
    that it names anywhere (`named_domains`).
    """

    internal_domains: tuple[str, ...] = ()
    margin: timedelta = timedelta(seconds=3)
    notify: Notify = Notify.FLAGGED
    keep: timedelta = timedelta(days=90)
    undo: timedelta = timedelta(days=7)
    remember: timedelta = timedelta(days=730)
    groups: Mapping[str, Patterns] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    checks: Mapping[str, Demand] = field(default_factory=dict)
    options: CheckOptions = CheckOptions()
    needs_body: bool = field(init=False, repr=False, compare=False)
    searches_text: bool = field(init=False, repr=False, compare=False)
    running: tuple[Check, ...] = field(init=False, repr=False, compare=False)
    own_domains: tuple[str, ...] = field(init=False, repr=False, compare=False)
    named_domains: frozenset[str] = field(init=False, repr=False, compare=False)
    _weighs_risk: bool = field(init=False, repr=False, compare=False)
    _inside: Domains = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        worked_out = {
            "needs_body": reads_body(self.checks) or any(rule.reads_body for rule in self.rules),
            "searches_text": any(rule.searches_text for rule in self.rules),
            "running": tuple(check for check in CHECKS if check.code in self.checks),
            "own_domains": tuple(name.removeprefix("*.") for name in self.internal_domains),
            "named_domains": frozenset(filter(None, self._named())),
            "_weighs_risk": any(rule.demand.risk is not None for rule in self.rules),
            "_inside": domains(self.internal_domains),
        }
        for name, value in worked_out.items():
            object.__setattr__(self, name, value)

    def _named(self) -> Iterator[str]:
        yield from (name.removeprefix("*.") for name in self.internal_domains)
        for group in self.groups.values():
            yield from (*group.domains.exact, *group.domains.above, *(domain for _, domain in group.exact))

    def internal(self, text: str) -> bool:
        """Whether an address, as written, is one of ours; what cannot be understood never is."""
        return self.inside(address.parse(text))

    def inside(self, who: Address) -> bool:
        """The same, of an address that was taken apart already."""
        return who.plain and self._inside.cover(who.domain)

    def weighs_suspicion(self, mails: int) -> bool:
        """Whether anything asks how suspect the recipients are of a sender with so many mails known."""
        return self._weighs_risk or (mails >= FEWEST_MAILS and "unlikely_recipient" in self.checks)

    def without(self, names: frozenset[str]) -> "Policy":
        """The same policy without the rules of these names."""
        return (
            replace(self, rules=tuple(rule for rule in self.rules if rule.name not in names))
            if names
            else self
        )

    def case(self, facts: Facts, findings: Iterable[Finding] = ()) -> Case:
        """A message as the rules of this policy see it."""
        recipients = tuple([address.parse(each.address) for each in facts.envelope.recipients])
        return Case(
            facts=facts,
            sender=address.parse(facts.envelope.sender),
            recipients=recipients,
            external=tuple([not self.inside(who) for who in recipients]),
            findings=frozenset([finding.check for finding in findings]),
            is_internal=self.inside,
        )

"""The judgement: from what is known of a message and the policy to what happens to it.

All rules that match and all findings count: the strictest action wins, and of the delays the longest.
Only `exempts` takes a rule out. The order of the rules makes no difference.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from mailguard.core import address, wording
from mailguard.core.checks import UNREADABLE
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding
from mailguard.core.hold import Action
from mailguard.core.policy import DEFAULT_ESCALATE, DEFAULT_EXPIRE, Demand, Policy, Rule
from mailguard.core.value import dataclass, replace

# The reason where the longest delay is the one that the sender asked for (RFC 4865).
SENDERS_WISH = "sender's wish"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """What waits for one recipient: a delay from receipt, and (`gated`) a person's yes."""

    delay: timedelta
    gated: bool
    external: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What happens to a message, and why.

    `action` NONE means that it leaves at once. `gate` is the yes that is awaited (CONFIRM, APPROVE) or
    NONE. `holds` are in the order of the envelope's recipients. `rules` are the names of the matching
    rules that count, in the policy's order. `deputies` are asked where the approvers have not answered
    after `escalate`. `expire` is how long a yes is awaited. `flagged` tells that a finding holds it longer,
    or for a stricter yes, than the rules alone. `reason` is the rule or finding that decided, `refusal` the
    answer of a REFUSE.
    """

    action: Action
    gate: Action
    holds: tuple[Hold, ...]
    rules: tuple[str, ...]
    findings: tuple[Finding, ...]
    approvers: tuple[str, ...]
    deputies: tuple[str, ...]
    escalate: timedelta
    expire: timedelta
    flagged: bool
    reason: str
    refusal: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Claim:
    """One demand on this message, who makes it, and the recipients that wait for it (None: all)."""

    name: str
    demand: Demand
    only: frozenset[int] | None = None
    refusal: str = ""
    of_finding: bool = False


_NOBODY = _Claim(name="", demand=Demand(action=Action.NONE))
_GATES = frozenset({Action.CONFIRM, Action.APPROVE})
_RANKS = {action: action.rank for action in Action}


def judge(facts: Facts, policy: Policy) -> Verdict:
    """Run the checks and the rules, and weigh all that they ask for."""
    return weigh(facts, policy, (*_unreadable(facts, policy), *_checked(facts, policy)))


def weigh(facts: Facts, policy: Policy, findings: tuple[Finding, ...]) -> Verdict:
    """The verdict where the findings are known already. Those of checks that are off ask for nothing."""
    case = policy.case(facts, findings)
    matching = [(rule, places) for rule in policy.rules if (places := rule.matches(case)) is not None]
    out = _exempted([rule for rule, _ in matching])
    counting = [(rule, places) for rule, places in matching if rule.name not in out]
    claims = [
        *(_of_rule(rule, places, facts) for rule, places in counting),
        *_of_findings(findings, policy),
        *_of_sender(facts),
    ]
    holds = tuple([_hold(place, external, claims) for place, external in enumerate(case.external)])
    decisive = max(claims, key=_weight, default=_NOBODY)
    action = _action(decisive, holds)
    gating = [claim.demand for claim in claims if claim.demand.action in _GATES]
    return Verdict(
        action=action,
        gate=action if action in _GATES else Action.NONE,
        holds=holds,
        rules=tuple([rule.name for rule, _ in counting]),
        findings=findings,
        approvers=_approvers(gating),
        deputies=_deputies(gating),
        escalate=min([each.escalate for each in gating if each.deputies], default=DEFAULT_ESCALATE),
        # Where two yeses are awaited, the time to give them is up with the first.
        expire=min([demand.expire for demand in gating], default=DEFAULT_EXPIRE),
        flagged=_flagged(claims, holds, action),
        reason="" if action is Action.NONE else decisive.name,
        refusal=decisive.refusal if action is Action.REFUSE else "",
    )


def _weight(claim: _Claim) -> tuple[int, timedelta, str]:
    """The heaviest claim decides; the name only makes one of two equals win, wherever they stand."""
    return _RANKS[claim.demand.action], claim.demand.delay, claim.name


def _checked(facts: Facts, policy: Policy) -> Iterator[Finding]:
    meant = facts.recollection.meant
    for check in policy.running:
        if found := check.run(facts, policy):
            # What its sender said yes to once is not asked again.
            yield from (one for one in found if not meant or (one.check, _about(one)) not in meant)


def _about(finding: Finding) -> str:
    return address.normal(finding.recipient) if finding.recipient else ""


def _unreadable(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """Nobody can say what is in it, so no rule on its text could match: its sender has to look.

    A text that was too long to be read to its end is one only where a rule looks for something in it.
    """
    body = facts.body
    if not facts.headers.readable:
        yield Finding(check=UNREADABLE, parameters={"part": "headers"})
    elif not body.readable or (policy.searches_text and not body.complete):
        yield Finding(check=UNREADABLE, parameters={"part": "body"})


def _exempted(matching: Sequence[Rule]) -> frozenset[str]:
    """The names of the matching rules that another one takes out; one that is out itself does not.

    There are no circles in it: the reader of the rules refuses them.
    """
    exempting = [rule for rule in matching if rule.exempts]
    if not exempting:
        return frozenset()
    out: dict[str, bool] = {}

    def is_out(name: str) -> bool:
        if name not in out:
            out[name] = any(name in rule.exempts and not is_out(rule.name) for rule in exempting)
        return out[name]

    return frozenset(rule.name for rule in matching if is_out(rule.name))


def _of_rule(rule: Rule, places: frozenset[int], facts: Facts) -> _Claim:
    demand = rule.demand
    if demand.risk is not None:
        known = facts.recollection
        demand = replace(demand, delay=demand.risk.delay(known.per_thousand if known.people else None))
    return _Claim(
        name=rule.name,
        demand=demand,
        only=places if rule.split else None,
        refusal=rule.text,
        of_finding=rule.asks_findings,
    )


def _of_findings(findings: Sequence[Finding], policy: Policy) -> Iterator[_Claim]:
    # One claim a check: the findings on two hundred recipients ask for the same.
    for finding in {each.check: each for each in reversed(findings)}.values() if findings else ():
        demand = policy.checks.get(finding.check, Demand(action=Action.CONFIRM))
        said = wording.sentence(finding, "en")
        yield _Claim(name=finding.check, demand=demand, refusal=said, of_finding=True)


def _of_sender(facts: Facts) -> Iterator[_Claim]:
    until = facts.envelope.parameters.hold_until
    if until is not None and until > facts.now:
        yield _Claim(name=SENDERS_WISH, demand=Demand(delay=until - facts.now))


def _hold(place: int, external: bool, claims: Sequence[_Claim]) -> Hold:
    delay, gated = timedelta(0), False
    for claim in claims:
        if claim.only is None or place in claim.only:
            delay = max(delay, claim.demand.delay)
            gated = gated or claim.demand.action in _GATES
    return Hold(delay=delay, gated=gated, external=external)


def _flagged(claims: Sequence[_Claim], holds: Sequence[Hold], action: Action) -> bool:
    """Whether a finding has a part in how long it waits, or for whom."""
    if action is Action.NONE or not any(claim.of_finding for claim in claims):
        return False
    others = [claim for claim in claims if not claim.of_finding]
    if action.rank > max((_RANKS[claim.demand.action] for claim in others), default=0):
        return True
    return any(hold != _hold(place, hold.external, others) for place, hold in enumerate(holds))


def _action(decisive: _Claim, holds: Sequence[Hold]) -> Action:
    """The strictest action; a delay of nothing is none."""
    strictest = decisive.demand.action
    if strictest is Action.DELAY and not any(hold.delay for hold in holds):
        return Action.NONE
    return strictest


def _approvers(gating: Sequence[Demand]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([each for demand in gating for each in demand.approvers]))


def _deputies(gating: Sequence[Demand]) -> tuple[str, ...]:
    if not gating:
        return ()
    approvers = frozenset(_approvers(gating))
    deputies = dict.fromkeys(each for demand in gating for each in demand.deputies)
    return tuple(each for each in deputies if each not in approvers)

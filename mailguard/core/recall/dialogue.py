"""The conversation of `mailguard detect --stdio`: lines of JSON in, judgements out, by the memory and the
checks of the live road."""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mailguard.core import address as addresses
from mailguard.core import mailboxes, quoted, wording
from mailguard.core.body import TEXT_LIMIT
from mailguard.core.checks import CHECKS
from mailguard.core.envelope import Envelope, Recipient
from mailguard.core.facts import Body, Facts, Headers, Thread
from mailguard.core.findings import Finding
from mailguard.core.judge import judge
from mailguard.core.policy import CheckOptions, Demand, Policy
from mailguard.core.recall.digest import Reading, read
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.people import WEBMAIL
from mailguard.core.recall.recollecting import Judge, recollect
from mailguard.core.recall.remembrance import Remembrance
from mailguard.core.recall.scene import Scene
from mailguard.core.recollection import NOTHING
from mailguard.core.value import replace

_REMEMBERED = 64
# Times that everything here can count with.
_FIRST, _LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
# Attachments, calendars, display names and logins are not in this form of a message.
_UNASKABLE = frozenset(
    {
        "forgotten_attachment",
        "invited_outsiders",
        "attachment_name_mismatch",
        "display_name_deceives",
        "sender_not_own",
        "sender_mismatch",
        "wrong_sender_identity",
    }
)
_FIELDS = ("to", "cc", "bcc")


def recipients_only(policy: Policy) -> Policy:
    """What of a policy can be asked about a message in this form: the checks of its recipients."""
    asked = {code: demand for code, demand in policy.checks.items() if code not in _UNASKABLE}
    return replace(policy, rules=(), checks=asked)


def every_check(internal: Collection[str], warnings: float) -> Policy:
    """All checks of recipients, without a rules file. `internal` are our own domains; of a hundred right
    messages `warnings` may be called unlikely."""
    policy = Policy(
        internal_domains=tuple(internal),
        checks={check.code: Demand(action=check.action, delay=check.delay) for check in CHECKS},
        options=CheckOptions(warn_per_hundred=warnings),
    )
    return recipients_only(policy)


class Dialogue:
    """One run of `mailguard detect`. Not for two threads at once.

    `meant` is what each sender said yes to. Without internal domains in the policy each sender's own domain
    is his.
    """

    def __init__(
        self,
        *,
        judge: Judge,
        digests: Digests,
        policy: Policy,
        memory: Remembrance | None = None,
        meant: Mapping[str, frozenset[tuple[str, str]]] | None = None,
    ) -> None:
        self.memory = Remembrance() if memory is None else memory
        self._judge = judge
        self._digests = digests
        self._policy = policy
        self._meant = meant or {}
        # A message without a date that can be read is one of the time of the one before.
        self._now = _FIRST
        # What was judged lately: once it goes out as it was judged, its score was a right mail's.
        self._judged: OrderedDict[tuple[Any, ...], float] = OrderedDict()

    def answer(self, line: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer to one line, or None where it wants none.

        Raises ValueError, in words for a person, where the line makes no sense.
        """
        message = line.get("msg") if isinstance(line, Mapping) else None
        if not isinstance(message, Mapping):
            raise ValueError('"msg" must be an object: {"op": "observe" or "score", "msg": {...}}')
        if line.get("op") not in ("observe", "score"):
            raise ValueError('"op" must be "observe" or "score"')
        written = letter(message, self._now)
        self._now = written.when
        reading = read(written, self._digests)
        if line["op"] == "score":
            return self._scored(message, written, reading)
        score = self._judged.pop(_mark(reading), None)
        if score is not None:
            self._judge.passed(score)
        self.memory.observe(reading.observation)
        return None

    def _scored(self, message: Mapping[str, Any], written: Letter, reading: Reading) -> dict[str, Any]:
        policy = self._policy_for(written.sender)
        internal = [name.removeprefix("*.") for name in self._policy.internal_domains]
        scene = self.memory.scene(reading, internal)
        suspicions = self._judge.suspicion(scene)
        highest = max((one for one, _ in suspicions.values()), default=0.0)
        self._judged[_mark(reading)] = highest
        if len(self._judged) > _REMEMBERED:
            self._judged.popitem(last=False)
        meant = self._meant.get(written.sender, NOTHING.meant)
        known = recollect(
            self.memory,
            scene,
            suspicions=suspicions,
            meant=meant,
            internal=internal,
            crowd=policy.options.visible_over,
        )
        facts = replace(_facts(message, written), thread=self._thread(scene), recollection=known)
        scores = {
            address: suspicions.get(addresses.normal(address), (highest, 0.0))[0]
            for field in _FIELDS
            for address in _texts(message.get(field))
        }
        found = judge(facts, policy).findings
        return {"scores": {**scores, "*": highest}, "findings": list(map(_told, found))}

    def _policy_for(self, sender: str) -> Policy:
        """The policy; where it names no domain of ours, with the sender's."""
        who = addresses.parse(sender)
        if self._policy.internal_domains or not who.plain or who.domain in WEBMAIL:
            return self._policy
        return replace(self._policy, internal_domains=(who.domain,))

    def _thread(self, scene: Scene) -> Thread:
        """Who could be seen in what is answered; a like subject is not enough to speak of it."""
        if scene.thread.found != 1:
            return Thread()
        recall, known = self.memory.recall, self.memory.recall.people.known
        numbers = {recall.sender(mail) for mail in scene.thread.mails}
        numbers.update(*(self.memory.named(mail) for mail in scene.thread.mails))
        return Thread(participants=frozenset(filter(None, (known[number].address for number in numbers))))


def _facts(message: Mapping[str, Any], written: Letter) -> Facts:
    """A message as the checks see it; what the memory knows is left out."""
    fields = {field: tuple(_texts(message.get(field))) for field in _FIELDS}
    text = written.text
    return Facts(
        envelope=Envelope(
            sender=written.sender,
            recipients=tuple(Recipient(address=one) for field in _FIELDS for one in fields[field]),
        ),
        headers=Headers(
            from_=(written.sender,),
            to=fields["to"],
            cc=fields["cc"],
            subject=written.subject,
            message_id=written.message_id,
            in_reply_to=tuple(filter(None, _texts([message.get("in_reply_to")]))),
            references=written.answers,
            fields={field: (", ".join(fields[field]),) for field in ("to", "cc")},
        ),
        body=Body(text=text, own_text=quoted.own_text(text)),
        thread=Thread(),
        user=None,
        size=len(text),
        now=written.when,
    )


def _told(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "severity": finding.severity.value,
        "recipient": finding.recipient,
        "text": wording.sentence(finding, "en"),
    }


def _mark(reading: Reading) -> tuple[Any, ...]:
    seen = reading.observation
    return (seen.message_id, seen.when, seen.sender, frozenset(seen.recipients))


def letter(message: Mapping[str, Any], undated: datetime | None = None) -> Letter:
    """A message of the JSON form as a Letter. `undated` is when it was where it does not say.
    Raises ValueError where it has no sender."""
    sender = message.get("from")
    if not isinstance(sender, str):
        raise ValueError('"from" must be an address')
    sender = addresses.normal(sender)
    references = message.get("references")
    named = references.split() if isinstance(references, str) else references
    answers = [*_texts(named), *_texts([message.get("in_reply_to")])]
    name = message.get("from_name")
    return Letter(
        sender=sender,
        when=_time(message.get("date"), undated or _FIRST),
        to=_people(message.get("to")),
        cc=_people(message.get("cc")),
        hidden=_people(message.get("bcc")),
        subject=_text(message.get("subject")),
        text=_text(message.get("body"))[:TEXT_LIMIT],
        message_id=_text(message.get("id")).strip("<>"),
        answers=tuple(dict.fromkeys(answer.strip("<>") for answer in answers if answer)),
        names={sender: name} if isinstance(name, str) and name else {},
    )


def _time(value: object, undated: datetime) -> datetime:
    """A date as in ISO 8601, as in a mail's header (RFC 5322), or in seconds since 1970."""
    forms = (datetime.fromisoformat, parsedate_to_datetime) if isinstance(value, str) else (_since_1970,)
    for form in forms:
        try:
            when = form(value)  # type: ignore[arg-type]
            when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError, OSError):
            continue
        return min(max(when, _FIRST), _LAST)
    return undated


def _since_1970(value: float) -> datetime:
    return datetime.fromtimestamp(value, UTC)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> Sequence[str]:
    """The texts of a list; one that stands as in a header is taken apart."""
    if isinstance(value, str):
        return mailboxes.split(value)[0]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else []


def _people(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(addresses.normal(one) for one in _texts(value)))

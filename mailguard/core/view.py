"""A message as the JSON object that the command line and the HTTP API show."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from mailguard.core.events import Event
from mailguard.core.findings import Finding
from mailguard.core.hold import HeldMessage, HeldRecipient
from mailguard.core.judge import Verdict
from mailguard.core.preference import Preference
from mailguard.core.wording import sentence

Json = dict[str, object]


def time(at: datetime | None) -> str | None:
    """UTC, ISO 8601, ending in Z, whole seconds."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def message(held: HeldMessage, language: str = "en") -> Json:
    """The object that `queue --json` lists."""
    return {
        "id": held.id,
        "state": held.state.value,
        "sender": held.sender,
        "user": held.user,
        "subject": held.subject,
        "size": held.size,
        "message_id": held.message_id,
        "received_at": time(held.received_at),
        "release_at": time(held.release_at),
        "expires_at": time(held.expires_at),
        "finished_at": time(held.finished_at),
        "action": held.action.value,
        "rules": list(held.rules),
        "approvers": list(held.approvers),
        "deputies": list(held.deputies),
        "recipients": [_recipient(recipient, held) for recipient in held.recipients],
        "findings": [finding(one, language) for one in held.findings],
    }


def with_history(shown: Json, held: HeldMessage, events: Sequence[Json]) -> Json:
    """The object of `show`: that of `message`, with what happened to it. Of each recipient it tells whether
    it was `blind`: in neither To nor Cc."""
    blind = {one for each in events for one in _list(each.get("blind"))}
    recipients = [{**_recipient(each, held), "blind": each.address in blind} for each in held.recipients]
    return {**shown, "recipients": recipients, "events": list(events)}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _recipient(recipient: HeldRecipient, held: HeldMessage) -> Json:
    since = recipient.dropped_at if held.body_kept else None
    return {
        "address": recipient.address,
        "state": recipient.state.value,
        "external": recipient.external,
        "release_at": time(recipient.release_at),
        "reply": recipient.reply,
        "attempts": recipient.attempts,
        "next_try_at": time(recipient.due_at) if recipient.attempts else None,
        "sent_at": time(recipient.sent_at),
        "in_flight": recipient.in_flight,
        "maybe_sent": recipient.maybe_sent,
        "restorable_until": None if since is None else time(since + held.undo),
    }


def finding(one: Finding, language: str) -> Json:
    """A finding with its sentence."""
    return {
        "check": one.check,
        "severity": one.severity.value,
        "recipient": one.recipient,
        "text": sentence(one, language),
    }


def preference(chosen: Preference) -> Json:
    """What somebody has chosen; null is what holds for everybody."""
    return {"language": chosen.language, "notify": None if chosen.notify is None else chosen.notify.value}


def event(one: Event) -> Json:
    """One line of `show`'s history."""
    detail: Mapping[str, object] = one.detail
    return {**detail, "at": time(one.at), "event": one.event, "by": one.by}


def verdict(judged: Verdict, addresses: tuple[str, ...], now: datetime, language: str) -> Json:
    """What `try` answers: what would happen to a message, and why."""
    return {
        "action": judged.action.value,
        "rules": list(judged.rules),
        "reason": judged.reason,
        "refusal": judged.refusal or None,
        "approvers": list(judged.approvers),
        "deputies": list(judged.deputies),
        "findings": [finding(one, language) for one in judged.findings],
        "recipients": [
            {
                "address": address,
                "external": hold.external,
                "delay_seconds": hold.delay.total_seconds(),
                "release_at": None if hold.gated else time(now + hold.delay),
            }
            for address, hold in zip(addresses, judged.holds, strict=True)
        ],
    }

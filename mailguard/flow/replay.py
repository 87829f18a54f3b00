"""Asks new rules about the mail that really went through: what they would have held, and what not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from mailguard.core import past, view
from mailguard.core.hold import Action, HeldMessage
from mailguard.core.policy import Policy
from mailguard.ports import Page, Store

PAGE = 500
# So many changed messages are listed one by one; all are counted.
MOST_LISTED = 200


class Replay:
    """Reads the store and changes nothing."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    async def run(self, policy: Policy, since: datetime) -> view.Json:
        """What this policy would have done with each message received at `since` or later.

        `changed` lists those that would be treated otherwise; `unanswered` names the rules that cannot be
        asked, because they look at what is not kept.
        """
        count = held_then = held_now = changes = 0
        by_rule: dict[str, int] = {rule.name: 0 for rule in policy.rules if past.answerable(rule)}
        changed: list[view.Json] = []
        async for messages in self._pages():
            recent = [one for one in messages if one.received_at >= since and one.sender]
            # Rules may be many, and a page is long: not on the loop.
            for line in await asyncio.to_thread(_asked, recent, policy):
                count += 1
                held_then += line["before"] != Action.NONE.value
                held_now += line["after"] != Action.NONE.value
                for name in _names(line):
                    by_rule[name] += 1
                if line["before"] != line["after"] or line["delay_before"] != line["delay_after"]:
                    changes += 1
                    changed += [line] if len(changed) < MOST_LISTED else []
        return {
            "since": view.time(since),
            "messages": count,
            "held_then": held_then,
            "held_now": held_now,
            "changes": changes,
            "rules": by_rule,
            "unanswered": [rule.name for rule in policy.rules if not past.answerable(rule)],
            "changed": changed,
        }

    async def _pages(self) -> AsyncIterator[Sequence[HeldMessage]]:
        after: str | None = None
        while page := await self._store.page(Page(finished=True, after=after, limit=PAGE)):
            yield page
            after = page[-1].id


def _names(line: view.Json) -> Sequence[str]:
    names = line["rules"]
    return names if isinstance(names, list) else ()


def _asked(messages: Sequence[HeldMessage], policy: Policy) -> list[view.Json]:
    return [_line(message, policy) for message in messages]


def _line(message: HeldMessage, policy: Policy) -> view.Json:
    verdict = past.again(message, policy)
    longest = max((one.delay.total_seconds() for one in message.recipients), default=0.0)
    return {
        "id": message.id,
        "sender": message.sender,
        "subject": message.subject,
        "recipients": [one.address for one in message.recipients],
        "received_at": view.time(message.received_at),
        "before": message.action.value,
        "after": verdict.action.value,
        "delay_before": longest,
        "delay_after": max((hold.delay.total_seconds() for hold in verdict.holds), default=0.0),
        "rules": list(verdict.rules),
        "reason": verdict.reason,
    }

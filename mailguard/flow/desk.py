"""The front desk: one request as plain JSON values, one answer as plain JSON values.

The command line asks here, over the control socket while the guard runs and directly while it is stopped,
so that both ways mean the same. Every answer has `told` (core/answer.py) and `text`.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from mailguard.core import view
from mailguard.core.actor import ADMIN, Actor
from mailguard.core.address import parse
from mailguard.core.answer import Answer, what_is
from mailguard.core.envelope import Envelope, Recipient, Submission
from mailguard.core.errors import ConfigurationError, MailguardError, NoSuchMessage, StoreError
from mailguard.core.hold import HeldMessage
from mailguard.core.message import read_headers
from mailguard.core.policy import Policy
from mailguard.core.states import MessageState
from mailguard.core.told import Told
from mailguard.flow.decide import Decide
from mailguard.flow.history import History
from mailguard.flow.learning import Learning
from mailguard.flow.listing import Listing, wished
from mailguard.flow.receive import Receive
from mailguard.flow.replay import Replay
from mailguard.ports import Backup, Clock, Policies

Json = dict[str, object]
Request = Mapping[str, object]
Verb = Callable[[Request, Actor], Awaitable[Json]]


class BadRequest(MailguardError):
    """A request that makes no sense; the text says what was expected."""


class Desk:
    """`about` tells what only the running program knows of itself (listeners, process); `parse_rules`
    reads a rules file's text for `try`;
    `page_link` makes a link that opens the page once, "" where none is served; `more` are the verbs of
    other parts."""

    def __init__(
        self,
        *,
        decide: Decide,
        history: History,
        listing: Listing,
        receive: Receive,
        replay: Replay,
        backup: Backup,
        policies: Policies,
        clock: Clock,
        language: str,
        about: Callable[[], Json],
        parse_rules: Callable[[str, str], Policy],
        learning: Learning | None = None,
        page_link: Callable[[], str] = lambda: "",
        more: Mapping[str, Verb] | None = None,
    ) -> None:
        self._decide = decide
        self._learning = learning
        self._history = history
        self._listing = listing
        self._receive = receive
        self._replay = replay
        self._backup = backup
        self._policies = policies
        self._clock = clock
        self._language = language
        self._about = about
        self._parse_rules = parse_rules
        self._page_link = page_link
        self._verbs: Mapping[str, Verb] = {
            **self._looking(),
            **self._deciding(decide),
            **(more or {}),
        }

    def _looking(self) -> dict[str, Verb]:
        return {
            "status": self._status,
            "queue": self._queue,
            "list": self._list,
            "approvals": self._approvals,
            "show": self._show,
            "raw": self._raw,
            "reload": self._reload,
            "try": self._try,
            "replay": self._replayed,
            "backup": self._copying,
            "learn": self._learn,
            "forget": self._forget,
            "page": self._page,
        }

    def _deciding(self, decide: Decide) -> dict[str, Verb]:
        return {
            "cancel": self._cancel,
            "restore": self._plain(decide.restore),
            "release": self._plain(decide.release),
            "confirm": self._plain(decide.confirm),
            "approve": self._approve,
            "freeze": self._plain(decide.freeze),
            "thaw": self._plain(decide.thaw),
            "reject": self._reject,
            "extend": self._extend,
        }

    async def answer(self, request: Request, actor: Actor) -> Json:
        """Do what is asked; never raises for what a request or a message can be."""
        verb = self._verbs.get(_text(request, "verb"))
        if verb is None:
            return _plain(Told.REFUSED, f"unknown verb {_text(request, 'verb')!r}")
        try:
            return await verb(request, actor)
        except BadRequest as error:
            return _plain(Told.REFUSED, str(error))
        except ConfigurationError as error:
            return {**_plain(Told.REFUSED, str(error)), "errors": [str(fault) for fault in error.faults]}
        except StoreError as error:
            return _plain(Told.TRY_LATER, str(error))
        except NoSuchMessage as error:
            # Forgotten between two looks.
            return _plain(Told.NO_SUCH_MESSAGE, str(error))

    async def _told(self, answer: Answer, actor: Actor) -> Json:
        message, text = answer.message, answer.text
        if message is None:
            return {**_plain(answer.told, text), "message": None}
        if not actor.may_act_on(message):
            # The sentence for the sender may name whom an approver is not to know of.
            message = await self._history.shown(message, actor)
            text = what_is(message)
        return {**_plain(answer.told, text), "message": view.message(message, self._language)}

    def _plain(self, decision: Callable[[str, Actor], Awaitable[Answer]]) -> Callable[..., Awaitable[Json]]:
        async def run(request: Request, actor: Actor) -> Json:
            return await self._told(await decision(_text(request, "id"), actor), actor)

        return run

    async def _status(self, request: Request, actor: Actor) -> Json:
        if not actor.admin:
            return _plain(Told.NOT_YOURS, "only an admin may ask how the guard is")
        return {**_plain(Told.DONE, ""), "status": {**self._about(), **await self._history.status()}}

    async def _page(self, request: Request, actor: Actor) -> Json:
        """Asked on the machine only: who is an admin elsewhere has signed in already."""
        if actor != ADMIN:
            return _plain(Told.NOT_YOURS, "only on the guard's own machine can the page be opened so")
        if not (link := self._page_link()):
            return _plain(Told.REFUSED, "no page is served: the guard is stopped, or [web] listen is off")
        return {**_plain(Told.DONE, link), "link": link}

    async def _queue(self, request: Request, actor: Actor) -> Json:
        limit = request.get("limit")
        messages = await self._history.listing(
            actor,
            states=_states(request),
            sender=_text(request, "sender") or None,
            finished=request.get("all") is True,
            after=_text(request, "after") or None,
            limit=limit if isinstance(limit, int) and limit > 0 else None,
        )
        # A full page may have another behind it.
        more = {"after": messages[-1].id} if messages and len(messages) == limit else {}
        return {**_plain(Told.DONE, ""), "messages": await self._shown(messages, request), **more}

    async def _list(self, request: Request, actor: Actor) -> Json:
        """A page of the list; `after` in the answer is where the next one begins, if there is one."""
        limit = request.get("limit")
        search = wished(request, _states(request), limit if isinstance(limit, int) and limit > 0 else None)
        found = await self._listing.page(actor, search, everybody=request.get("everybody") is True)
        shown = await self._shown(found.messages, request)
        return {**_plain(Told.DONE, ""), "messages": shown, "after": found.after}

    async def _approvals(self, request: Request, actor: Actor) -> Json:
        """What waits for the asker; with `brief` its ids alone."""
        if request.get("brief") is True:
            return {**_plain(Told.DONE, ""), "ids": [*await self._listing.to_approve(actor)]}
        waiting = await self._listing.approvals(actor)
        return {**_plain(Told.DONE, ""), "messages": await self._shown(waiting, request)}

    async def _shown(self, messages: Sequence[HeldMessage], request: Request) -> list[Json]:
        # Thousands of them take longer than the loop may stand still.
        language = _text(request, "language") or self._language
        return await asyncio.to_thread(lambda: [view.message(one, language) for one in messages])

    async def _show(self, request: Request, actor: Actor) -> Json:
        answer = await self._history.find(_text(request, "id"), actor)
        if answer.message is None:
            return await self._told(answer, actor)
        shown = view.message(answer.message, _text(request, "language") or self._language)
        events = await self._history.events(answer.message, actor)
        whole = view.with_history(shown, answer.message, events)
        if answer.message.state is MessageState.APPROVAL:
            whole["seal"] = await self._decide.seal(answer.message.id)
        return {**_plain(answer.told, answer.text), "message": whole}

    async def _raw(self, request: Request, actor: Actor) -> Json:
        answer = await self._history.find(_text(request, "id"), actor)
        if answer.message is None:
            return await self._told(answer, actor)
        content = await self._history.content(answer.message, actor)
        if content is None:
            return _plain(Told.TOO_LATE, f"{answer.message.id} is finished; its bytes are gone")
        # Megabytes in base64 take longer than the loop may stand still.
        return {**await self._told(answer, actor), "content": await asyncio.to_thread(_encoded, content)}

    async def _cancel(self, request: Request, actor: Actor) -> Json:
        return await self._told(
            await self._decide.cancel(_text(request, "id"), actor, _texts(request, "to")), actor
        )

    async def _approve(self, request: Request, actor: Actor) -> Json:
        """`seal` is that of the message as it was shown (`show`); a yes to another one is refused."""
        seal = _text(request, "seal")
        return await self._told(await self._decide.approve(_text(request, "id"), actor, seal), actor)

    async def _reject(self, request: Request, actor: Actor) -> Json:
        reason = _text(request, "reason")
        if not reason.strip():
            raise BadRequest("a rejection needs a reason: its sender will read it")
        return await self._told(await self._decide.reject(_text(request, "id"), actor, reason), actor)

    async def _extend(self, request: Request, actor: Actor) -> Json:
        by, until = request.get("by_seconds"), _text(request, "until")
        longer = _duration(by) if isinstance(by, int | float) else None
        at = _time(until) if until else None
        return await self._told(
            await self._decide.extend(_text(request, "id"), actor, by=longer, until=at), actor
        )

    async def _reload(self, request: Request, actor: Actor) -> Json:
        if not actor.admin:
            return _plain(Told.NOT_YOURS, "only an admin may reload the rules")
        faults = await self._policies.reload()
        if faults:
            errors = [str(fault) for fault in faults]
            return {
                **_plain(Told.REFUSED, "the old rules stay in force\n" + "\n".join(errors)),
                "errors": errors,
            }
        count = len(self._policies.current.rules)
        return _plain(Told.DONE, f"{count} rules are in force now")

    async def _copying(self, request: Request, actor: Actor) -> Json:
        """The copying itself is the asker's, who may write where the guard may not."""
        if not actor.admin:
            return _plain(Told.NOT_YOURS, "only an admin may copy the queue")
        step, token = _text(request, "step"), _text(request, "token")
        if step == "begin":
            still = await self._backup.begin()
            copied = {"path": str(still.path), "size": still.size, "token": still.token}
            return {**_plain(Told.DONE, ""), **copied, "at": still.at.isoformat()}
        steps = {"renew": self._backup.renew, "end": self._backup.end}
        if step not in steps:
            raise BadRequest(f"unknown step {step!r}; expected begin, renew or end")
        if not await steps[step](token):
            return _plain(Told.TRY_LATER, "the copying took too long, or too much mail came in; try again")
        return _plain(Told.DONE, "")

    async def _learn(self, request: Request, actor: Actor) -> Json:
        """The reading is the asker's, who may open mailboxes that the guard may not."""
        if not actor.admin or self._learning is None:
            return _plain(Told.NOT_YOURS, "only an admin may give mail to learn from")
        step = _text(request, "step")
        if step == "begin":
            told = await self._learning.begin(_texts(request, "sources"))
            policy = self._policies.current
            since = self._clock.now() - policy.remember
            about = {"since": since.isoformat(), "internal_domains": list(policy.internal_domains)}
            return {**_plain(Told.DONE, ""), **told, **about}
        if step == "add":
            lessons = request.get("lessons")
            given = [one for one in lessons if isinstance(one, dict)] if isinstance(lessons, list) else []
            try:
                added = await self._learning.add(given, _text(request, "source"), _text(request, "place"))
                return {**_plain(Told.DONE, ""), **added}
            except ValueError as error:
                raise BadRequest(f"these mails cannot be read: {error}") from error
        if step != "end":
            raise BadRequest(f"unknown step {step!r}; expected begin, add or end")
        await self._learning.end(_texts(request, "sources"))
        return _plain(Told.DONE, "")

    async def _forget(self, request: Request, actor: Actor) -> Json:
        if not actor.admin or self._learning is None:
            return _plain(Told.NOT_YOURS, "only an admin may have somebody forgotten")
        who = parse(_text(request, "address"))
        if not who.plain:
            written = _text(request, "address")
            raise BadRequest(f"{written!r} is no address; expected one like m.dupont@client.example")
        count = await self._learning.forget(str(who))
        return {**_plain(Told.DONE, f"{who} is forgotten; {count} entries had the address"), "entries": count}

    async def _try(self, request: Request, actor: Actor) -> Json:
        if not actor.admin:
            # What the memory knows of others is in the answer.
            return _plain(Told.NOT_YOURS, "only an admin may try what would happen")
        submission = self._imagine(request)
        judged = await self._receive.consider(submission, self._asked_policy(request))
        addresses = tuple(recipient.address for recipient in submission.envelope.recipients)
        shown = view.verdict(judged.verdict, addresses, submission.received_at, self._language)
        return {**_plain(Told.DONE, ""), "verdict": shown}

    async def _replayed(self, request: Request, actor: Actor) -> Json:
        if not actor.admin:
            return _plain(Told.NOT_YOURS, "only an admin may ask about everybody's mail")
        since = _time(_text(request, "since"))
        told = await self._replay.run(self._asked_policy(request), since)
        return {**_plain(Told.DONE, ""), "replay": told}

    def _asked_policy(self, request: Request) -> Policy:
        """The rules that come with the request, or those in force. Raises ConfigurationError."""
        if rules := _text(request, "rules"):
            return self._parse_rules(rules, _text(request, "rules_file") or "rules.toml")
        return self._policies.current

    def _imagine(self, request: Request) -> Submission:
        try:
            content = base64.b64decode(_text(request, "content"), validate=True)
        except ValueError as error:
            raise BadRequest("the message must be base64") from error
        headers = read_headers(content)
        to = _texts(request, "to") or [*headers.to, *headers.cc]
        if not to:
            raise BadRequest("the message names no recipient; name one with --to")
        sender = _text(request, "from") or next(iter(headers.from_), "")
        envelope = Envelope(
            sender=sender, recipients=tuple(Recipient(address=one) for one in dict.fromkeys(to))
        )
        return Submission(
            envelope=envelope,
            content=content,
            user=_text(request, "user") or None,
            peer="127.0.0.1",
            helo="localhost",
            protocol="ESMTP",
            received_at=self._clock.now(),
        )


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _plain(told: Told, text: str) -> Json:
    return {"told": told.value, "text": text}


def _text(request: Request, key: str) -> str:
    value = request.get(key)
    return value if isinstance(value, str) else ""


def _texts(request: Request, key: str) -> list[str]:
    value = request.get(key)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _states(request: Request) -> frozenset[MessageState]:
    try:
        return frozenset(MessageState(text) for text in _texts(request, "states"))
    except ValueError as error:
        names = ", ".join(state.value for state in MessageState)
        raise BadRequest(f"{error}; the states are {names}") from error


def _duration(seconds: float) -> timedelta:
    try:
        return timedelta(seconds=seconds)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{seconds} is no number of seconds") from error


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{text!r} is no time; expected one like 2026-11-22T18:30:00Z") from error

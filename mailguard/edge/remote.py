"""The command line's end of a guard on another machine: the same questions, over HTTP with a token.

Where, and the token, are kept in a file that its owner alone can read. Certificates are verified; without TLS
only this machine is spoken to.
"""

import base64
import ipaddress
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

import httpx2

from mailguard.core.errors import MailguardError, StoreError
from mailguard.core.value import dataclass

Json = dict[str, object]
Request = Mapping[str, object]

API = "/api/v1"
ANSWER_WITHIN = 60.0
# What a lost laptop can be used for, at most.
GOOD_FOR_DAYS = 90
# As many as one page of the list may have.
PAGE = 1000
_PLAIN = frozenset({"restore", "release", "confirm", "freeze", "thaw"})
_BODY = {
    "approve": ("seal",),
    "cancel": ("to",),
    "edit": ("drafts",),
    "extend": ("by_seconds", "until"),
    "reject": ("reason",),
}


class NotThere(StoreError):
    """The guard does not answer now."""


class Unsafe(MailguardError):
    """A place that a password or a token is not sent to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """Where somebody has logged in; no repr, so that the token is in no error."""

    url: str
    login: str
    name: str
    token: str

    def __repr__(self) -> str:
        return f"Remote({self.url!r}, {self.login!r})"


def place() -> Path:
    """Where it is kept."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "mailguard" / "remote.json"


def known() -> Remote | None:
    """Where this user has logged in; None where nowhere."""
    try:
        return Remote(**json.loads(place().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def forget() -> None:
    """As if never logged in; the token itself is revoked by `log_out`."""
    place().unlink(missing_ok=True)


def log_in(url: str, login: str, password: str, name: str, scope: str) -> Json:
    """Make a token that reaches as far as `scope`, with a password, and keep it; the answer. Raises Unsafe,
    NotThere."""
    base = checked(url)
    asked = {"login": login, "password": password, "name": name, "scope": scope, "days": GOOD_FOR_DAYS}
    with _client(base, None) as client:
        answer = _answered(lambda: client.post(f"{API}/tokens", json=asked))
    if "token" not in answer:
        return answer
    _keep(Remote(url=base, login=login, name=name, token=str(answer["token"])))
    text = (
        f"The verbs act on {base} now, as {login} ({scope}), for {GOOD_FOR_DAYS} days; the token is {name!r}."
    )
    return {"told": "done", "text": f"{text} mailguard logout ends that."}


def log_out(remote: Remote) -> Json:
    """Revoke the token, and forget it."""
    with _client(remote.url, remote.token) as client:
        answer = _answered(lambda: client.delete(f"{API}/tokens/{quote(remote.name, safe='')}"))
    forget()
    return answer


def ask(remote: Remote, request: Request) -> Json:
    """One question, one answer, as the front desk gives it. Raises NotThere."""
    verb = str(request["verb"])
    with _client(remote.url, remote.token) as client:
        if verb == "queue":
            return _queue(client, request)
        path = f"{API}/messages/{quote(str(request.get('id', '')) or ' ', safe='')}"
        if verb == "show":
            return _wrapped(_answered(lambda: client.get(path)), "message")
        if verb == "raw":
            return _raw(client, path)
        if verb in _PLAIN or verb in _BODY:
            body = {key: request[key] for key in _BODY.get(verb, ()) if request.get(key)}
            return _answered(lambda: client.post(f"{path}/{verb}", json=body or None))
        return _others(client, verb, request)


def _others(client: httpx2.Client, verb: str, request: Request) -> Json:
    if verb == "status":
        return _wrapped(_answered(lambda: client.get(f"{API}/status")), "status")
    if verb == "reload":
        return _answered(lambda: client.post(f"{API}/reload"))
    if verb == "try":
        body = {key: value for key, value in request.items() if key != "verb"}
        return _wrapped(_answered(lambda: client.post(f"{API}/try", json=body)), "verdict")
    return {"told": "refused", "text": f"{verb} works on the guard's own machine only (mailguard logout)"}


def _queue(client: httpx2.Client, request: Request) -> Json:
    limit = request.get("limit")
    wanted = limit if isinstance(limit, int) else None
    found: list[Json] = []
    after = str(request.get("after") or "")
    while True:
        size = PAGE if wanted is None else min(PAGE, wanted - len(found))
        asked = {
            "state": request.get("states") or [],
            "sender": request.get("sender") or "",
            "all": request.get("all") is True,
            "limit": size,
            "after": after,
        }
        answer = _answered(lambda asked=asked: client.get(f"{API}/messages", params=cast("Any", asked)))  # type: ignore[misc]
        page = answer.get("list")
        if not isinstance(page, list):
            return answer
        found += page
        if len(page) < size or len(found) == wanted:
            return {"told": "done", "text": "", "messages": found}
        after = str(page[-1]["id"])


def _raw(client: httpx2.Client, path: str) -> Json:
    response = _sent(lambda: client.get(f"{path}/raw"))
    if response.status_code != 200:
        return _read(response)
    return {"told": "done", "text": "", "content": base64.b64encode(response.content).decode("ascii")}


def _wrapped(answer: Json, key: str) -> Json:
    return answer if "told" in answer else {"told": "done", "text": "", key: answer}


def _answered(send: Callable[[], httpx2.Response]) -> Json:
    return _read(_sent(send))


def _sent(send: Callable[[], httpx2.Response]) -> httpx2.Response:
    try:
        return send()
    except httpx2.HTTPError as error:
        raise NotThere(f"the guard does not answer: {error}") from error


def _read(response: httpx2.Response) -> Json:
    if response.status_code == 401:
        return {"told": "not_yours", "text": "that login is over; log in again: mailguard login URL"}
    try:
        value = response.json()
    except ValueError:
        value = None
    if isinstance(value, list):
        return {"list": value}
    if isinstance(value, dict):
        return value
    raise NotThere(f"the answer makes no sense (HTTP {response.status_code}); is this a mailguard?")


def checked(url: str) -> str:
    """The address without what is behind the host. Raises Unsafe."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.scheme == "https" and parts.hostname:
        return f"https://{parts.netloc.rpartition('@')[2]}"
    if parts.scheme == "http" and _is_here(parts.hostname or ""):
        return f"http://{parts.netloc.rpartition('@')[2]}"
    raise Unsafe(f"{url}: the password would cross the network for all to read; expected https://")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _client(url: str, token: str | None) -> httpx2.Client:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    # No redirect is followed: a token goes where it belongs, and nowhere else.
    return httpx2.Client(base_url=url, headers=headers, timeout=ANSWER_WITHIN, follow_redirects=False)


def _keep(remote: Remote) -> None:
    path = place()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(remote), file)
    new.replace(path)

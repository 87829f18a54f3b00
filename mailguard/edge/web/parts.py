"""What the web is given by the program, and who a request comes from."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from typing import Protocol
from urllib.parse import urlsplit

from mailguard.core.actor import Actor
from mailguard.core.value import dataclass
from mailguard.flow.changes import Changes
from mailguard.flow.guessing import Guessing
from mailguard.flow.keyring import Keyring
from mailguard.flow.opening import OnceLink
from mailguard.flow.people import People
from mailguard.ports import Clock, Log
from mailguard.ports.access import LinkReader, Logins, Sessions, Token

Json = dict[str, object]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Ask = Callable[[Mapping[str, object], Actor], Awaitable[Json]]


class Waits(Protocol):
    """How often something took how long, in ranges that each have those before in them."""

    total: float

    def up_to(self) -> list[tuple[str, float]]:
        """The upper end of each range in seconds, and how many took at most so long."""


class Counts(Protocol):
    """What was counted since the guard started; no name in it is from outside."""

    @property
    def accepts(self) -> Waits:
        """How long clients waited for the answer to a message."""

    @property
    def events(self) -> Mapping[str, int]:
        """How often each thing happened."""

    @property
    def troubles(self) -> Mapping[str, int]:
        """How often each thing went wrong."""

    @property
    def findings(self) -> Mapping[str, int]:
        """How often each check found something."""


@dataclass(frozen=True, kw_only=True)
class WebOptions:
    """Sizes are bytes, times seconds.

    `public_url` is where people reach the page; `listen` where it is served. A
    `largest_message` is what `try` may be given.
    """

    public_url: str
    listen: str
    hostname: str
    language: str
    largest_message: int = 26214400
    monitors: tuple[Network, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    largest_body: int = 64 * 1024
    slowest_request: float = 20.0
    # A browser keeps its connection for the next press.
    keep_alive: int = 15
    max_connections: int = 1000
    grace: int = 3
    wrong_password_delay: float = 1.0

    @property
    def secure(self) -> bool:
        """Whether people reach the page by https."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def origins(self) -> frozenset[str]:
        """The origins that our own pages have."""
        places = [urlsplit(self.public_url), urlsplit(f"http://{self.listen}")]
        found = {f"{one.scheme}://{one.netloc.lower()}" for one in places}
        if self.local:
            found.add(f"http://localhost:{places[1].port}")
        return frozenset(found)

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        host = urlsplit(f"http://{self.listen}").hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @property
    def hosts(self) -> frozenset[str]:
        """The names that a request may call us by; another one comes from a page that plays us (DNS
        rebinding)."""
        named = {urlsplit(one).hostname or "" for one in (self.public_url, f"http://{self.listen}")}
        return frozenset({*named, "localhost", "127.0.0.1", "::1"} if self.local else named)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """`ask` is the front desk. `closing` is set when the guard stops: whoever answers for long (live events)
    comes to an end then."""

    ask: Ask
    accounts: Logins
    people: People
    sessions: Sessions
    keyring: Keyring
    guessing: Guessing
    once: OnceLink
    links: LinkReader
    clock: Clock
    log: Log
    options: WebOptions
    changes: Changes
    counts: Counts
    closing: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Who asks: as whom the front desk is asked, in which language to answer, and what each form has to bring
    along in its field `csrf` (or a script in the header `X-CSRF-Token`). A `token` is there where a program
    asks, and none where somebody signed in."""

    actor: Actor
    language: str
    csrf: str = ""
    token: Token | None = None

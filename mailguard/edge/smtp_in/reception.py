"""What all SMTP sessions share: the way in for messages, the counts of connections, the closing time."""

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Protocol

import aiosmtpd

from mailguard.core.envelope import Submission
from mailguard.core.reply import Reply
from mailguard.edge.smtp_in.budget import Budget
from mailguard.edge.smtp_in.ehlo import Ehlo
from mailguard.edge.smtp_in.options import SmtpOptions
from mailguard.edge.smtp_in.peers import Peer, Peers
from mailguard.flow.guessing import Guessing
from mailguard.ports import Accounts, Clock, Log

Accept = Callable[[Submission], Coroutine[Any, Any, Reply]]

# The library's inside is replaced in places; another release needs another look at each of them.
KNOWN_LIBRARY = "1.4.6"

# A flood of connections makes one line of log in so many seconds.
QUIET = 10.0


class Session(Protocol):
    """What the reception wants of a session."""

    @property
    def stranger(self) -> bool:
        """Whether it has not logged in, and is from no trusted network."""

    @property
    def opened(self) -> float:
        """The loop's time of its beginning."""

    def make_room(self) -> None:
        """End at once, for somebody else."""

    def shut_down(self) -> None:
        """End soon: after the message in hand, or at once where there is none."""

    def abort(self) -> None:
        """End now."""

    def check_time(self, now: float) -> None:
        """End where the client takes too long."""


class Reception:
    """Built once. `accept` takes one message and answers it; it is never cancelled by a client that hangs up.

    `accounts` is None where nobody can log in; `tls` gives the context for a new handshake, None where no
    certificate is configured. `guessing` is shared with the other ways in, where there are any.
    """

    def __init__(
        self,
        *,
        options: SmtpOptions,
        accept: Accept,
        accounts: Accounts | None,
        clock: Clock,
        log: Log,
        tls: Callable[[], ssl.SSLContext] | None = None,
        guessing: Guessing | None = None,
    ) -> None:
        if aiosmtpd.__version__ != KNOWN_LIBRARY:
            raise RuntimeError(f"aiosmtpd is {aiosmtpd.__version__}; this program needs {KNOWN_LIBRARY}")
        if not callable(accept):
            raise TypeError("accept must be a coroutine function: without it, mail would be lost")
        # What aiosmtpd logs below this level are command lines, with passwords in them.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self.options = options
        self.accounts = accounts
        self.clock = clock
        self.log = log
        self.tls = tls
        self.ehlo = Ehlo(options, clock.now)
        self.peers = Peers(options.trusted_networks)
        self.guessing = guessing or Guessing(options, clock.monotonic)
        self.bytes_in_flight = 0
        self.budget = Budget(options.max_bytes_in_flight)
        self.closing = False
        self._accept = accept
        self._sessions: dict[Session, Peer] = {}
        self._by_network: Counter[str] = Counter()
        self._taking: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._empty.set()
        self._refused = 0
        self._told_at = 0.0

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that all sessions run on: the one that was running when it was first asked for."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._sessions)

    def admit(self, session: Session, peer: Peer) -> Reply | None:
        """Count a new connection in; a Reply where there is no place for it (it is not counted then)."""
        text = ""
        if self.closing:
            return Reply(code=421, status="4.3.2", text=f"{self.options.hostname} is shutting down")
        if self._by_network[peer.network] >= self.options.max_connections_per_ip:
            text = "Too many connections from your address"
        elif len(self._sessions) >= self.options.max_connections and not self._room_made(peer):
            text = "Too many connections, try again later"
        if text:
            self._tell_refused(peer)
            return Reply(code=421, status="4.7.0", text=text)
        self._sessions[session] = peer
        self._by_network[peer.network] += 1
        self._empty.clear()
        if self._watch is None:
            self._look_at_the_clock()
        return None

    def _room_made(self, peer: Peer) -> bool:
        """Send a stranger away for a newcomer: one who had time to log in, or any for a peer that is known.

        So a crowd that only sits there keeps nobody out for long, and one that keeps coming back keeps out
        nobody who was here before.
        """
        known = peer.trusted or self.guessing.knows(peer.network)
        latest = self.loop.time() - (0 if known else self.options.crowded_timeout.total_seconds())
        # The sessions are in the order in which they came.
        for session in self._sessions:
            if session.opened > latest:
                break
            if session.stranger:
                self._tell_refused(self._sessions[session])
                session.make_room()
                self.release(session)
                return True
        return False

    def release(self, session: Session) -> None:
        """A connection is gone; to say it twice does no harm."""
        peer = self._sessions.pop(session, None)
        if peer is None:
            return
        self._by_network[peer.network] -= 1
        if not self._by_network[peer.network]:
            del self._by_network[peer.network]
        if not self._sessions:
            self._empty.set()

    def _look_at_the_clock(self) -> None:
        # One timer for all sessions: one for each would cost more than the rest of a connection.
        now = self.loop.time()
        for session in tuple(self._sessions):
            session.check_time(now)
        patience = min(self.options.idle_timeout, self.options.session_timeout).total_seconds()
        delay = min(1.0, patience / 4)
        self._watch = self.loop.call_later(delay, self._look_at_the_clock) if self._sessions else None

    async def take(self, submission: Submission) -> Reply:
        """Hand one message over."""
        size = len(submission.content)
        self.bytes_in_flight += size
        try:
            return await self._accept(submission)
        finally:
            self.bytes_in_flight -= size

    def keep(self, step: asyncio.Task[None]) -> None:
        """A step that is taking a message: kept alive and waited for at the end, whatever its client does."""
        self._taking.add(step)
        step.add_done_callback(self._taking.discard)

    async def drain(self, grace: timedelta) -> None:
        """Send everybody home: no new sessions; messages being received or stored get `grace` to end.

        What is being stored is waited for even longer: half a store write helps nobody.
        """
        self.closing = True
        for session in tuple(self._sessions):
            session.shut_down()
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self._empty.wait()
        except TimeoutError:
            self.log.event("smtp_cut", connections=len(self._sessions))
        self.abort()
        if self._taking:
            await asyncio.wait(tuple(self._taking))

    def abort(self) -> None:
        """Cut all connections, now; a message that is being stored is stored all the same."""
        self.closing = True
        for session in tuple(self._sessions):
            session.abort()

    def _tell_refused(self, peer: Peer) -> None:
        self._refused += 1
        now = self.clock.monotonic()
        if now - self._told_at >= QUIET or not self._told_at:
            self.log.trouble(
                "connections_refused", peer=peer.address, count=self._refused, open=len(self._sessions)
            )
            self._told_at, self._refused = now, 0

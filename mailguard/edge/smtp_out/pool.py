"""A few open connections to the upstream, shared by all messages that leave."""

import asyncio
import ssl

from mailguard.edge.smtp_out.opening import Refused, open_session
from mailguard.edge.smtp_out.options import Tls, UpstreamOptions, trust
from mailguard.edge.smtp_out.session import Session

# How long a server is asked one thing after the other that could not follow several.
_PATIENCE = 3600.0


class Pool:
    """Those that are open; how many may be in use at a time is for places.py."""

    def __init__(self, options: UpstreamOptions) -> None:
        self._options = options
        # Since when each has no work, the one used last behind the others.
        self._idle: dict[Session, float] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._farewells: set[asyncio.Task[None]] = set()
        self._context: ssl.SSLContext | None = None
        self._patient_until = 0.0
        self._closed = False

    def reusable(self) -> Session | None:
        """An open connection that waits for work, the one used last first: the others may end."""
        while self._idle:
            session, _ = self._idle.popitem()
            if session.usable:
                return session
            session.abort()
        return None

    async def fresh(self) -> Session:
        """A new connection. Raises Refused."""
        if self._options.tls != Tls.NONE and self._context is None:
            try:
                self._context = await asyncio.to_thread(trust, self._options.ca_file)
            except OSError as error:
                raise Refused(f"the certificates to trust cannot be read: {error}") from error
        patient = asyncio.get_running_loop().time() < self._patient_until
        return await open_session(self._options, self._context, patient=patient)

    def slow_down(self) -> None:
        """The server offers PIPELINING and cannot do it: new connections are used without, for a while."""
        self._patient_until = asyncio.get_running_loop().time() + _PATIENCE

    def give_back(self, session: Session) -> None:
        """Keep it for the next message, or let it go."""
        if not session.usable or self._closed:
            self._leave(session)
            return
        self._idle[session] = asyncio.get_running_loop().time()
        if self._sweeping is None:
            self._sweep_at(self._idle[session] + self._options.idle.total_seconds())

    def _sweep_at(self, at: float) -> None:
        """One alarm for all of them: each message would set one anew."""
        self._sweeping = asyncio.get_running_loop().call_at(at, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        idle = self._options.idle.total_seconds()
        too_long = asyncio.get_running_loop().time() - idle
        for session in [one for one, since in self._idle.items() if since <= too_long]:
            del self._idle[session]
            self._leave(session)
        if self._idle:
            self._sweep_at(min(self._idle.values()) + idle)

    def _leave(self, session: Session) -> None:
        farewell = asyncio.get_running_loop().create_task(session.quit())
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)

    async def close(self) -> None:
        """Leave every connection that waits for work, and wait until they are gone."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for session in self._idle:
            self._leave(session)
        self._idle.clear()
        await asyncio.gather(*self._farewells, return_exceptions=True)

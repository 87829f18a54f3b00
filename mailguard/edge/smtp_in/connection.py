"""One client's connection: bytes in, lines out of a buffer, one write for all replies, TLS, hang-up.

aiosmtpd reads through a StreamReader in a task per connection, wakes it for every line and sets a timer for
every command. Here the bytes stay in one buffer and everything in it is answered at once, in the call that
brought the bytes (RFC 2920); only what has to wait for something runs as a task: a step.
"""

import asyncio
import contextlib
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable, Coroutine
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Session

from mailguard.core.reply import Reply
from mailguard.edge.smtp_in.peers import UNKNOWN, Peer
from mailguard.edge.smtp_in.reception import Reception

# RFC 5321 section 4.5.3.1.4 asks for 512 octets and room for each extension's parameters; RFC 4954
# section 4 asks for 12288 octets of a SASL response.
LONGEST_LINE = 12288
# What is left of a longer one.
OVERLONG = b"\x00\r\n"
# More than this unread, and the client has to wait.
HIGH_WATER = 262144
# Who sends so much at once waits for everybody else's turn: libuv would read from it 32 times over first.
GREEDY = 32768
# How long a client that still sends may take to read why it was sent away.
LINGER = 2.0

TOO_SLOW = Reply(code=421, status="4.4.2", text="The session took too long, goodbye")
CROWDED = Reply(code=421, status="4.7.0", text="Too many connections, try again later")


class HungUpError(Exception):
    """The client closed its side in the middle of something."""


class Connection(SMTP):
    """Transport, buffer and clock of one session; `_turn` is what the session is about.

    Of aiosmtpd's inside neither the constructor nor the loop runs: for every connection the constructor
    goes through all members of itself and of its handler, may ask the DNS for the machine's name, and
    empties a dictionary that all connections share; and the loop is what this class is instead of.
    """

    session: Session
    transport: asyncio.Transport

    _peer: Peer = UNKNOWN
    _scanned = 0
    _overlong = False
    _waiter: asyncio.Future[None] | None = None
    _writing_paused = False
    _reading_paused = False
    # Since when the client is not read, because there is no room for what it sends.
    _held_up: float | None = None
    _eof = False
    _ended = False
    _tls = False
    _step: asyncio.Task[None] | None = None
    # Whether the step is taking a message: nothing may cancel it then.
    _taking = False
    # Whether the step waits for the client, and not the client for the step.
    _listening = False
    _shaking_hands = False
    _upload_since: float | None = None
    # All of the upload, and what of it had come when its last window was looked at, and when that was.
    _uploaded = 0
    _window: tuple[float, int] = (0.0, 0)

    def __init__(self, reception: Reception, *, implicit_tls: bool = False) -> None:
        if implicit_tls and reception.tls is None:
            raise ValueError("A port with TLS from the first byte needs a certificate")
        self.loop = reception.loop
        self._reception = reception
        self._first_context = reception.tls if implicit_tls else None
        self._buffer = bytearray()
        self._replies: list[bytes] = []
        self.opened = self._heard = self._progress = self.loop.time()

    @property
    def stranger(self) -> bool:
        """Whether nothing is known of this client yet that would let it send."""
        return not self._peer.trusted

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the client in, or send it away where there are too many; called again when TLS is on."""
        self.transport = cast(asyncio.Transport, transport)
        self.session = self._create_session()
        self.session.peer = transport.get_extra_info("peername")
        if self._shaking_hands:
            self._secured()
            return
        self._peer = self._reception.peers.of(self.session.peer)
        refusal = self._reception.admit(self, self._peer)
        if refusal is not None:
            if self._first_context is None:
                self._say(refusal)
            self._hang_up()
        elif self._first_context is not None:
            self._shake_hands(self._first_context())
        else:
            self._greet()
            self._flush()

    def data_received(self, data: bytes) -> None:
        """Answer what is complete; keep the rest. While a step runs, everything is kept."""
        if self._ended:
            return
        self._heard = self.loop.time()
        self._uploaded += len(data)
        self._buffer += data
        if self._step is None:
            self._advance()
        elif self._waiter is not None:
            self._wake()
        full = len(self._buffer) > HIGH_WATER
        if (full or len(data) >= GREEDY) and not self._reading_paused and not self._ended:
            self._reading_paused = True
            self.transport.pause_reading()
            if not full:
                self.loop.call_soon(self._read_on)

    def eof_received(self) -> bool:
        """The client will say no more; what it said is still carried out and answered."""
        self._eof = True
        if self._step is None and not self._writing_paused:
            self._hang_up()
        self._wake()
        # TLS has no half-closed connection.
        return not self._tls and not self._ended

    def pause_writing(self) -> None:
        """The client does not read its replies, so it gets no more of them."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """The client reads again."""
        self._writing_paused = False
        if self._step is None:
            self._advance()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone. A message that is being stored is stored all the same."""
        self._ended = True
        self._reception.release(self)
        if self._step is not None and not self._taking:
            self._step.cancel()

    # ---- what the reception wants

    def shut_down(self) -> None:
        """End after the message in hand, or at once where there is none."""
        if self._shaking_hands:
            self.abort()
        elif self._upload_since is None and not self._taking:
            self._dismiss(self._farewell())

    def abort(self) -> None:
        """End now."""
        self._ended = True
        self._reception.release(self)
        self.transport.abort()

    def make_room(self) -> None:
        """End at once, for somebody else; over TLS without a word, because its goodbye takes a while."""
        if self._tls or self._shaking_hands:
            self.abort()
        else:
            self._dismiss(CROWDED)

    def check_time(self, now: float) -> None:
        """End a session in which too little happened for too long, or that has lasted too long."""
        options = self._reception.options
        # A handshake has a limit of its own, and whoever waits for us is not too slow.
        if self._ended or self._shaking_hands or (self._step is not None and not self._listening):
            return
        idle = options.idle_timeout.total_seconds()
        if self._held_up is not None:
            if now - self._held_up >= options.longest_wait.total_seconds():
                self._wait_no_longer()
            return
        if self._upload_since is None:
            # A command has to come whole: one letter every now and then is no progress.
            slow = now - self._progress >= idle
        else:
            slow = now - self._heard >= idle or self._too_slow(now, idle)
        if slow or self._too_long(now):
            self._reception.log.event("smtp_timeout", peer=self._peer.address)
            self._dismiss(TOO_SLOW)

    def _too_slow(self, now: float, idle: float) -> bool:
        since, uploaded = self._window
        if now - since < idle:
            return False
        self._window = now, self._uploaded
        return self._uploaded - uploaded < (now - since) * self._reception.options.slowest_upload

    def _too_long(self, now: float) -> bool:
        options = self._reception.options
        # A message that goes on coming in comes to its end by its size: twice the limit, if each line of it
        # had a dot to be doubled.
        coming = self._upload_since is not None and self._uploaded <= 2 * options.max_message_bytes
        return not coming and now - self.opened >= options.session_timeout.total_seconds()

    # ---- the session

    def _greet(self) -> None:
        raise NotImplementedError

    def _turn(self) -> bool:
        """Take one thing from the buffer; False where more bytes are needed for it."""
        raise NotImplementedError

    def _fail(self, error: Exception) -> None:
        raise NotImplementedError

    def _wait_no_longer(self) -> None:
        raise NotImplementedError

    def _advance(self) -> None:
        """Do all that can be done without waiting, and answer it in one write."""
        while self._step is None and not self._ended and not self._writing_paused:
            try:
                if not self._turn():
                    break
                self._progress = self._heard
            except Exception as error:  # noqa: BLE001 - the one place where a fault of ours becomes an answer.
                self._fail(error)
        self._flush()
        self._read_on()
        if self._eof and self._step is None and not self._writing_paused:
            self._hang_up()

    def _read_on(self) -> None:
        if self._held_up is not None or self._ended:
            return
        if self._reading_paused and len(self._buffer) <= HIGH_WATER:
            self._reading_paused = False
            self.transport.resume_reading()

    def _start(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do what has to wait for something; nothing else happens in this session meanwhile."""
        self._flush()
        self._step = self.loop.create_task(self._run(step))
        if self._taking:
            self._reception.keep(self._step)

    async def _run(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            # Called only here: a step that is cancelled before it begins is never made.
            await step()
        except HungUpError:
            self._hang_up()
        except Exception as error:  # noqa: BLE001 - as in _advance.
            self._fail(error)
        finally:
            self._step = None
            self._progress = self.loop.time()
        if self._reception.closing:
            self._dismiss(self._farewell())
        self._advance()

    def _say(self, reply: bytes | Reply) -> None:
        """Reply with this line, or lines with CRLF between; it is written before anything is waited for."""
        self._replies.append(str(reply).encode("ascii") if isinstance(reply, Reply) else reply)

    def _flush(self) -> None:
        replies = self._replies
        if replies:
            if not self._ended:
                replies.append(b"")
                self.transport.write(b"\r\n".join(replies))
            replies.clear()

    def _next_line(self) -> bytes | None:
        """The next line with its end, or None where it is not there yet.

        A line longer than LONGEST_LINE is OVERLONG, which is no valid command.
        """
        buffer = self._buffer
        end = buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(buffer)
            if len(buffer) > LONGEST_LINE:
                self._overlong = True
                self._scanned = 0
                buffer.clear()
            return None
        self._scanned = 0
        line = bytes(buffer[: end + 1])
        del buffer[: end + 1]
        if self._overlong or end >= LONGEST_LINE:
            self._overlong = False
            return OVERLONG
        return line

    async def _read_line(self) -> bytes:
        """The next line, in a step. Raises HungUpError where none will come."""
        self._flush()
        while (line := self._next_line()) is None:
            if self._eof or self._ended:
                raise HungUpError
            self._read_on()
            self._waiter = self.loop.create_future()
            self._listening = True
            try:
                await self._waiter
            finally:
                self._listening = False
        self._progress = self._heard
        return line

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # ---- TLS

    def _shake_hands(self, context: ssl.SSLContext) -> None:
        """Put the TLS layer between the client and this session, which hears of it when the hands are shaken.

        As aiosmtpd does it. loop.start_tls would be too late for a port with TLS from the first byte: it can
        only be awaited, and the client's first bytes may be there before.
        """
        options = self._reception.options
        self._shaking_hands = True
        # What came in clear must not count as if it had come over TLS.
        self._buffer.clear()
        self._scanned = 0
        done = self.loop.create_future()
        done.add_done_callback(self._handshake_over)
        # typeshed knows whole seconds only.
        timeouts: dict[str, Any] = {
            "ssl_handshake_timeout": options.tls_handshake_timeout.total_seconds(),
            "ssl_shutdown_timeout": options.tls_shutdown_timeout.total_seconds(),
        }
        layer = SSLProtocol(self.loop, self, context, done, server_side=True, **timeouts)
        self.transport.set_protocol(layer)
        layer.connection_made(self.transport)

    def _secured(self) -> None:
        """TLS is on: start over, with nothing known of the client (RFC 3207 section 4.2)."""
        self._shaking_hands = False
        self._tls = True
        self.session.ssl = {"cipher": self.transport.get_extra_info("cipher")}
        if self._first_context is not None:
            self._greet()
            self._flush()

    def _handshake_over(self, done: "asyncio.Future[None]") -> None:
        error = None if done.cancelled() else done.exception()
        if not self._tls:
            # Of a connection that is lost before the handshake has ended, the layer tells nobody.
            self._reception.log.event("tls_failed", peer=self._peer.address, reason=str(error or "hung up"))
            self.abort()

    # ---- the end

    def _farewell(self) -> Reply:
        return Reply(code=421, status="4.3.2", text=f"{self._reception.options.hostname} is shutting down")

    def _dismiss(self, reply: Reply) -> None:
        """Say why, and hang up."""
        if not self._ended:
            self._say(reply)
            self._hang_up()

    def _hang_up(self) -> None:
        """Close after the last reply. A client that still sends gets a moment to read it first: closing at
        once would answer its bytes with a reset, which may overtake the reply."""
        if self._ended:
            return
        self._flush()
        self._ended = True
        self._wake()
        sending = bool(self._buffer) or self._upload_since is not None
        if self._eof or self._tls or not sending:
            self.transport.close()
            return
        self._buffer.clear()
        # The client may be gone already.
        with contextlib.suppress(OSError):
            self.transport.write_eof()
        if self._reading_paused:
            self.transport.resume_reading()
        self.loop.call_later(LINGER, self.transport.close)

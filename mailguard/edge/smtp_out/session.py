"""One open connection to the upstream, used for one transaction after the other."""

from collections.abc import Mapping
from datetime import timedelta

from mailguard.core.value import dataclass
from mailguard.edge.smtp_out.commands import Order
from mailguard.edge.smtp_out.options import UpstreamOptions
from mailguard.edge.smtp_out.wire import Broken, Reply, Wire

_CHUNK = 256 * 1024
# With the end of a larger message no envelope goes along: it saves little there, and whether all of the
# message has left this machine could not be told from whether all of the envelope has.
_SMALL = 64 * 1024
_QUIT_TIMEOUT = timedelta(seconds=5)
_SHUTTING_DOWN = 421


# RFC 5321 section 4.3.2 has these for a client that does not keep to the protocol. We do, so it is the server
# that has lost count; the message has no part in it.
_OUT_OF_STEP = (500, 503)


class Interrupted(Exception):
    """A transaction that broke off. `begun` tells whether the server had answered anything of it, `wanted`
    whether it had asked for the message, `ambiguous` whether the final dot may have reached it (RFC 1047)."""

    def __init__(self, text: str, *, begun: bool, wanted: bool = False, ambiguous: bool) -> None:
        super().__init__(text)
        self.begun = begun
        self.wanted = wanted
        self.ambiguous = ambiguous


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What the server said to MAIL, to each RCPT that it was asked, and to the message (None where that was
    not offered)."""

    mail: Reply
    rcpts: tuple[Reply, ...]
    data: Reply | None


class _Closing(Exception):
    """421: the server is about to hang up (RFC 5321 section 3.8)."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class Session:
    """Use it from one task at a time. After an exception it is of no more use.

    `patient`: one command after the other, even where the server offers PIPELINING.
    """

    def __init__(
        self, wire: Wire, offers: Mapping[str, str], options: UpstreamOptions, *, patient: bool = False
    ) -> None:
        self._wire = wire
        self._options = options
        self._pipelined = "pipelining" in offers and not patient
        self._heard: list[Reply] = []
        self._wanted = False
        self._dotted = False
        # An open transaction that the next MAIL would run into.
        self._open = False
        # The transaction whose envelope is on its way already.
        self._ahead: Order | None = None
        self.offers = offers
        self.messages = 0

    @property
    def usable(self) -> bool:
        """Whether another message may go over it."""
        return self._wire.quiet and not self._open and self.messages < self._options.messages_per_connection

    @property
    def _goes_on(self) -> bool:
        """Whether another message may be announced before this one is answered."""
        return self._pipelined and self.messages < self._options.messages_per_connection

    @property
    def promised(self) -> bool:
        """Whether the envelope of the next transaction has gone ahead, and all is well so far."""
        return self._ahead is not None and not self._open and self._wire.whole

    async def deliver(self, order: Order) -> Answers:
        """One transaction; where the envelope of one has gone ahead, that one. Raises Interrupted."""
        self._heard.clear()
        self._wanted = self._dotted = False
        self._open = True
        self.messages += 1
        ahead, self._ahead = self._ahead, None
        try:
            if ahead is not None and ahead is not order:
                raise Broken("another message was announced to it")
            answers = await self._transaction(order, announced=ahead is not None)
            await self._reset()
            return answers
        except _Closing as closing:
            self._wire.abort()
            return self._cut_short(order, closing.reply)
        except (Broken, TimeoutError) as error:
            text = str(error) or "it did not answer in time"
            raise Interrupted(
                text, begun=bool(self._heard), wanted=self._wanted, ambiguous=self.may_have_arrived
            ) from error
        finally:
            if self._open:
                self._wire.abort()

    @property
    def lost_count(self) -> bool:
        """Whether the server could not follow the commands that it was sent at once."""
        return self._pipelined and any(reply.code in _OUT_OF_STEP for reply in self._heard)

    @property
    def pipelined(self) -> bool:
        """Whether the envelope goes to the server at once (RFC 2920)."""
        return self._pipelined

    @property
    def may_have_arrived(self) -> bool:
        """Whether the final dot of the last message may have left this machine. Where the next envelope went
        along, what is still here may be a part of that: in doubt the dot counts as gone."""
        return self._dotted and (self._wire.flushed or self._ahead is not None)

    def _cut_short(self, order: Order, reply: Reply) -> Answers:
        """421 answers everything that was not answered yet."""
        self._open = False
        mail, *rcpts = [*self._heard, reply]
        known = rcpts[: len(order.rcpts)]
        rest = [reply] * (len(order.rcpts) - len(known))
        return Answers(mail=mail, rcpts=(*known, *rest), data=reply)

    async def _transaction(self, order: Order, *, announced: bool) -> Answers:
        self._wire.within(self._options.command_timeout)
        if self._pipelined:
            # The whole envelope in one go (RFC 2920).
            if not announced:
                self._wire.write(order.envelope)
            mail, rcpts, ready = await self._at_once(order)
        else:
            mail, rcpts, ready = await self._one_by_one(order)
        wanted = mail.positive and any(rcpt.positive for rcpt in rcpts)
        if ready is None or ready.code >= 400:
            self._open = mail.positive
            return Answers(mail=mail, rcpts=rcpts, data=ready if wanted else None)
        if ready.code != 354:
            raise Broken(f"it answered DATA with {ready}")
        if not wanted:
            # RFC 2920 section 3.1: a server may say "go on" although nobody is to get it.
            self._wire.write(b".\r\n")
            self._wire.within(self._options.command_timeout)
            await self._reply()
            self._open = False
            return Answers(mail=mail, rcpts=rcpts, data=None)
        self._wanted = True
        order.wanted()
        data = await self._content(order)
        if 300 <= data.code < 400:
            raise Broken(f"it answered the message with {data}")
        self._open = False
        return Answers(mail=mail, rcpts=rcpts, data=data)

    async def _at_once(self, order: Order) -> tuple[Reply, tuple[Reply, ...], Reply | None]:
        mail = await self._reply()
        rcpts = tuple([await self._reply() for _ in order.rcpts])
        return mail, rcpts, await self._reply()

    async def _one_by_one(self, order: Order) -> tuple[Reply, tuple[Reply, ...], Reply | None]:
        mail = await self._ask(order.mail)
        if not mail.positive:
            return mail, (), None
        rcpts = tuple([await self._ask(rcpt) for rcpt in order.rcpts])
        if not any(rcpt.positive for rcpt in rcpts):
            return mail, rcpts, None
        return mail, rcpts, await self._ask(b"DATA\r\n")

    async def _content(self, order: Order) -> Reply:
        """The message and its final dot; nothing is changed but the dots (RFC 5321 section 4.5.2)."""
        content = order.content
        begin = 0
        while len(content) - begin > _CHUNK:
            end = _boundary(content, begin + _CHUNK)
            self._wire.write(_stuffed(content, begin, end))
            self._wire.within(self._options.block_timeout)
            await self._drained()
            begin = end
        ending = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
        # A yes that is there already cannot be the answer to what was not sent yet.
        self._hear_early()
        self._dotted = True
        if len(content) <= _SMALL and self._goes_on:
            self._ahead = order.next()
        announced = b"" if self._ahead is None else self._ahead.envelope
        self._wire.write(b"".join((_stuffed(content, begin, len(content)), ending, announced)))
        self._wire.within(self._options.data_timeout)
        return await self._reply()

    async def _drained(self) -> None:
        """Raises Broken, or _Closing where the server did not wait for the end before it said no."""
        broken: Broken | None = None
        try:
            await self._wire.drained()
        except Broken as error:
            broken = error
        self._hear_early()
        if broken is not None:
            raise broken

    def _hear_early(self) -> None:
        """Raises _Closing for a no that came before the message had ended, Broken for anything else."""
        early = self._wire.early_reply()
        if early is None:
            return
        if early.code >= 400:
            raise _Closing(early)
        raise Broken(f"it answered {early} before the message had ended")

    async def _ask(self, line: bytes) -> Reply:
        self._wire.write(line)
        return await self._reply()

    async def _reply(self) -> Reply:
        reply = await self._wire.reply()
        if reply.code == _SHUTTING_DOWN:
            raise _Closing(reply)
        self._heard.append(reply)
        return reply

    async def _reset(self) -> None:
        """Leave a transaction that came to nothing. If that fails the connection is not used again; what the
        server answered before holds."""
        if not self._open:
            return
        try:
            self._wire.within(self._options.command_timeout)
            reply = await self._ask(b"RSET\r\n")
        except (Broken, TimeoutError, _Closing):
            return
        self._open = not reply.positive

    async def quit(self) -> None:
        """Say goodbye, and wait a moment for the answer (RFC 5321 section 4.1.1.10)."""
        try:
            self._wire.write(b"QUIT\r\n")
            self._wire.within(_QUIT_TIMEOUT)
            await self._wire.reply()
        except (Broken, TimeoutError):
            pass
        self._wire.close()

    def abort(self) -> None:
        """Hang up at once."""
        self._wire.abort()


def _boundary(content: bytes, at: int) -> int:
    """Here, or behind the line end and its dot that would be torn apart here."""
    torn = content.find(b"\r\n.", at - 2, at + 2)
    return at if torn < 0 else torn + 3


def _stuffed(content: bytes, begin: int, end: int) -> bytes:
    """A part of the message with its dots doubled: a part, so that a large one keeps nobody waiting."""
    part = content[begin:end].replace(b"\r\n.", b"\r\n..")
    return b"." + part if begin == 0 and part.startswith(b".") else part

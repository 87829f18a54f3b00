"""The SMTP commands of a mail submission (RFC 5321, RFC 6409), on top of aiosmtpd's SMTP class.

Every command of the library is replaced; COMMANDS is the whole list of what a client can reach.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from aiosmtpd.smtp import Envelope as LibraryEnvelope

from mailguard.core.envelope import Envelope, MailParameters, Recipient, Submission
from mailguard.core.errors import SyntaxRefused
from mailguard.core.reply import Reply
from mailguard.core.smtp_syntax import parse_mail, parse_rcpt
from mailguard.edge.smtp_in.budget import SMALL
from mailguard.edge.smtp_in.connection import LONGEST_LINE, OVERLONG
from mailguard.edge.smtp_in.data import Content, too_large
from mailguard.edge.smtp_in.incident import incident
from mailguard.edge.smtp_in.login import Login

# Browsers that were led here; they would go on to read their own request as commands.
FOREIGN = frozenset({b"CONNECT", b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"PATCH", b"POST", b"PUT"})
AUTH_REQUIRED = Reply(code=530, status="5.7.0", text="Authentication required")
BARE_LF = Reply(code=500, status="5.5.2", text="A command ends with CRLF, not with LF alone, goodbye")
NO_ROOM = Reply(code=452, status="4.3.1", text="Too many messages are being received, try again later")
# What may mean something special in a Received line (RFC 5321 section 4.4).
ODD_IN_HELO = re.compile(rb"[^A-Za-z0-9_.:\[\]-]")
LONGEST_HELO = 255


class Transaction(LibraryEnvelope):
    """A mail transaction that has begun: aiosmtpd's envelope with what it has no place for."""

    def __init__(self, sender: str, parameters: MailParameters) -> None:
        super().__init__()
        self.mail_from = sender
        self.sender = sender
        self.parameters = parameters
        self.recipients: list[Recipient] = []


class SmtpSession(Login):
    """One client's session. Make one per connection: `functools.partial(SmtpSession, reception)`, and with
    `implicit_tls=True` for a port on which TLS starts at once."""

    envelope: Transaction | None = None
    _content: Content | None = None
    _counted = 0
    _errors = 0
    _idle_commands = 0

    def _greet(self) -> None:
        self._say(f"220 {self._reception.options.hostname} ESMTP mailguard".encode("ascii"))

    def _turn(self) -> bool:
        if self._content is not None:
            return self._receive(self._content)
        line = self._next_line() if self._buffer else None
        if line is None:
            return False
        if line is OVERLONG:
            self._refuse(f"500 5.5.6 A command has at most {LONGEST_LINE} octets".encode("ascii"))
        elif not line.endswith(b"\r\n"):
            # Somebody may have put it into an address, to have what follows carried out as a command.
            self._dismiss(BARE_LF)
        elif line.find(b"\r") != len(line) - 2 or b"\x00" in line:
            self._refuse(b"500 5.5.2 A command is a line without control characters that ends with CRLF")
        else:
            self._obey(line)
        options = self._reception.options
        if self._errors > options.max_errors or self._idle_commands > options.max_idle_commands:
            self._dismiss(
                Reply(code=421, status="4.7.0", text="Too many commands without a message, goodbye")
            )
        return True

    def _obey(self, line: bytes) -> None:
        verb, _, argument = line[:-2].partition(b" ")
        command = COMMANDS.get(verb.upper())
        if command is None:
            self._refuse(b"500 5.5.2 This command is not known here")
            return
        try:
            command(self, argument.strip(b" "))
        except SyntaxRefused as refused:
            self._refuse(Reply(code=refused.code, status=refused.status, text=refused.text))

    def _fail(self, error: Exception) -> None:
        """A fault of ours is a temporary refusal, and the session goes on where it can."""
        reply = incident(self._reception.log, error, self._peer.address)
        self.envelope = None
        if self._content is None:
            self._say(reply)
        else:
            # The rest of the message must not be read as commands.
            self._dismiss(reply)

    def _refuse(self, reply: bytes | Reply) -> None:
        self._errors += 1
        self._say(reply)

    # ---- greeting, TLS, and what does nothing

    def _helo(self, argument: bytes) -> None:
        if self._greeted(argument, extended=False):
            self._say(f"250 {self._reception.options.hostname}".encode("ascii"))

    def _ehlo(self, argument: bytes) -> None:
        if self._greeted(argument, extended=True):
            offers_tls = self._reception.tls is not None and not self._tls
            self._say(self._reception.ehlo.reply(tls=offers_tls, auth=self._may_log_in()))

    def _greeted(self, hostname: bytes, *, extended: bool) -> bool:
        """RFC 5321 section 4.1.1.1: a greeting also forgets a message that was begun."""
        if not hostname:
            self._refuse(b"501 5.5.4 Say who you are: EHLO your.host.name")
            return False
        if self.session.host_name:
            self._idle_commands += 1
        self.session.host_name = ODD_IN_HELO.sub(b"?", hostname[:LONGEST_HELO]).decode("ascii")
        self.session.extended_smtp = extended
        self.envelope = None
        return True

    def _starttls(self, argument: bytes) -> None:
        """RFC 3207, and only where nothing is lost by it and nothing slips in."""
        if argument:
            self._refuse(b"501 5.5.4 STARTTLS takes no argument")
        elif self._tls:
            self._refuse(b"503 5.5.1 TLS is on already")
        elif self._reception.tls is None:
            self._refuse(b"502 5.5.1 TLS is not available")
        elif self.envelope is not None:
            self._refuse(b"503 5.5.1 Not in the middle of a message")
        elif self._buffer:
            # Somebody put commands behind it, to be carried out as if they had come over TLS.
            self._reception.log.event("tls_injection", peer=self._peer.address)
            self._dismiss(Reply(code=451, status="4.7.0", text="Nothing may follow STARTTLS before TLS"))
        else:
            context = self._reception.tls()
            self._say(b"220 2.0.0 Ready to start TLS")
            self._flush()
            self._account = None
            self._shake_hands(context)

    def _auth(self, argument: bytes) -> None:
        # One is enough for a client that knows its password.
        self._errors += 1
        self._start(partial(self._log_in, argument))

    def _noop(self, argument: bytes) -> None:
        self._idle_commands += 1
        self._say(b"250 2.0.0 Ok")

    def _rset(self, argument: bytes) -> None:
        """RFC 5321 section 4.1.1: a parameter where none is defined is a wrong syntax; QUIT and DATA, too."""
        if argument:
            self._refuse(b"501 5.5.4 RSET takes no argument")
            return
        self._idle_commands += 1
        self.envelope = None
        self._say(b"250 2.0.0 Ok")

    def _help(self, argument: bytes) -> None:
        self._idle_commands += 1
        self._say(b"214 2.0.0 This server takes outgoing mail: EHLO, MAIL FROM, RCPT TO, DATA, QUIT")

    def _vrfy(self, argument: bytes) -> None:
        """RFC 5321 section 7.3: the same answer for every name, so that nobody learns who exists."""
        if self.stranger:
            self._refuse(AUTH_REQUIRED)
            return
        if not argument:
            self._refuse(b"501 5.5.4 Syntax: VRFY address")
            return
        self._idle_commands += 1
        self._say(b"252 2.0.0 Cannot verify the address; a message to it will be tried")

    def _expn(self, argument: bytes) -> None:
        self._refuse(AUTH_REQUIRED if self.stranger else b"502 5.5.1 EXPN is not available")

    def _bdat(self, argument: bytes) -> None:
        """RFC 3030 is not offered; hang up, so that the chunk is not read as commands."""
        self._dismiss(Reply(code=502, status="5.5.1", text="BDAT is not available: use DATA"))

    def _foreign(self, argument: bytes) -> None:
        """Another protocol; nobody here means to send mail."""
        self._dismiss(Reply(code=421, status="4.7.0", text="This is a mail server, goodbye"))

    def _quit(self, argument: bytes) -> None:
        if argument:
            self._refuse(b"501 5.5.4 QUIT takes no argument")
            return
        self._say(b"221 2.0.0 Goodbye")
        self._hang_up()

    # ---- the message

    def _mail(self, argument: bytes) -> None:
        """RFC 5321 section 4.1.1.2: who may send, as whom, how much."""
        reception, account = self._reception, self._account
        if not self.session.host_name:
            self._refuse(b"503 5.5.1 Send EHLO first")
            return
        if self.stranger:
            reception.log.event("login_required", peer=self._peer.address)
            self._refuse(AUTH_REQUIRED)
            return
        if self.envelope is not None:
            self._refuse(b"503 5.5.1 A message was begun already")
            return
        options = reception.options
        now = reception.clock.now()
        sender, parameters = parse_mail(argument, now=now, longest_hold=options.longest_hold)
        if not self.session.extended_smtp and parameters != MailParameters():
            self._refuse(b"555 5.5.4 Parameters need EHLO")
        elif parameters.size is not None and parameters.size > options.max_message_bytes:
            self._refuse(too_large(options.max_message_bytes))
        elif account is not None and not account.may_send_as(sender):
            reception.log.event("sender_refused", peer=self._peer.address, user=account.login)
            self._refuse(b"553 5.7.1 This login may not send as this address")
        else:
            self.envelope = Transaction(sender, parameters)
            self._say(b"250 2.1.0 Sender ok")

    def _rcpt(self, argument: bytes) -> None:
        """RFC 5321 section 4.1.1.3."""
        transaction = self.envelope
        if transaction is None:
            self._refuse(b"503 5.5.1 Send MAIL FROM first")
        elif len(transaction.recipients) >= self._reception.options.max_recipients:
            # RFC 5321 section 4.5.3.1.10: the client sends the rest in another message.
            self._idle_commands += 1
            self._say(b"452 4.5.3 Too many recipients for one message")
        else:
            recipient = parse_rcpt(argument, smtputf8=transaction.parameters.smtputf8)
            if not self.session.extended_smtp and (recipient.notify or recipient.orcpt):
                self._refuse(b"555 5.5.4 Parameters need EHLO")
                return
            transaction.recipients.append(recipient)
            self._say(b"250 2.1.5 Recipient ok")

    def _data(self, argument: bytes) -> None:
        """RFC 5321 section 4.1.1.4."""
        options = self._reception.options
        if self.envelope is None:
            self._refuse(b"503 5.5.1 Send MAIL FROM first")
        elif not self.envelope.recipients:
            self._refuse(b"554 5.5.1 There is no valid recipient")
        elif argument:
            self._refuse(b"501 5.5.4 DATA takes no argument")
        elif self._reception.bytes_in_flight >= options.max_bytes_in_flight:
            self._refuse(NO_ROOM)
        else:
            self._say(b"354 End data with <CR><LF>.<CR><LF>")
            normalize = options.bare_newline == "normalize"
            self._content = Content(max_bytes=options.max_message_bytes, normalize=normalize)
            self._upload_since, self._uploaded = self._heard, len(self._buffer)
            self._window = self._heard, 0

    def _receive(self, content: Content) -> bool:
        """Take what has come of the message; when it is whole, hand it over in a step."""
        reception = self._reception
        ended = content.feed(self._buffer)
        self._count(content.size)
        if not ended:
            self._ask_for_room(content)
            if reception.bytes_in_flight > reception.options.max_bytes_in_flight:
                content.drop(NO_ROOM)
            return False
        self._count(0)
        self._content = self._upload_since = self._held_up = None
        transaction, self.envelope = self.envelope, None
        if content.fault is not None:
            reception.budget.give_back(self)
            self._refuse(content.fault)
            if reception.closing:
                self._dismiss(self._farewell())
        elif transaction is not None:
            self._taking = True
            self._start(partial(self._take, transaction, content.take()))
        return True

    def _ask_for_room(self, content: Content) -> None:
        """Read a large message on only where there is room for all of it (budget.py)."""
        budget = self._reception.budget
        if content.fault is not None:
            budget.give_back(self)
        elif content.size > SMALL and self._held_up is None and not budget.ask(self, self._whole_size()):
            self._held_up = self._heard
            if not self._reading_paused:
                self._reading_paused = True
                self.transport.pause_reading()

    def _whole_size(self) -> int:
        declared = self.envelope.parameters.size if self.envelope is not None else None
        return declared or self._reception.options.max_message_bytes

    def go_on(self) -> None:
        """There is room for the whole message now; never called from within this session."""
        self._held_up = None
        self._upload_since = self._heard = self.loop.time()
        self._window = self._heard, self._uploaded
        self.loop.call_soon(self._read_on)

    def _wait_no_longer(self) -> None:
        """The rest is read and dropped, so that the client listens when it is told."""
        if self._content is not None:
            self._content.drop(NO_ROOM)
            self._count(0)
        self._reception.budget.give_back(self)
        self.go_on()

    def _count(self, size: int) -> None:
        self._reception.bytes_in_flight += size - self._counted
        self._counted = size

    async def _take(self, transaction: Transaction, content: bytes) -> None:
        """Nothing that the client does ends this: the step is not cancelled while it is taking a message."""
        try:
            # The time in it must not be older than the step that reckons with it (ports.Clock.steady).
            reply = await self._reception.take(self._submission(transaction, content))
        finally:
            self._taking = False
            self._reception.budget.give_back(self)
        if reply.accepted:
            self._errors = self._idle_commands = 0
        self._say(reply)

    def _submission(self, transaction: Transaction, content: bytes) -> Submission:
        return Submission(
            envelope=Envelope(
                sender=transaction.sender,
                recipients=tuple(transaction.recipients),
                parameters=transaction.parameters,
            ),
            content=content,
            user=self._account.login if self._account is not None else None,
            peer=self._peer.address,
            helo=self.session.host_name or "",
            protocol=self._protocol(),
            received_at=self._reception.clock.now(),
            own=self._account.addresses if self._account is not None else None,
        )

    def _protocol(self) -> str:
        """RFC 3848."""
        if not self.session.extended_smtp and not self._tls:
            return "SMTP"
        return "ESMTP" + ("S" if self._tls else "") + ("A" if self._account is not None else "")

    def connection_lost(self, error: Exception | None) -> None:
        """What was half received is forgotten."""
        self._count(0)
        if not self._taking:
            self._reception.budget.give_back(self)
        super().connection_lost(error)


COMMANDS: Mapping[bytes, Callable[[SmtpSession, bytes], None]] = MappingProxyType(
    {
        b"AUTH": SmtpSession._auth,
        b"BDAT": SmtpSession._bdat,
        b"DATA": SmtpSession._data,
        b"EHLO": SmtpSession._ehlo,
        b"EXPN": SmtpSession._expn,
        b"HELO": SmtpSession._helo,
        b"HELP": SmtpSession._help,
        b"MAIL": SmtpSession._mail,
        b"NOOP": SmtpSession._noop,
        b"QUIT": SmtpSession._quit,
        b"RCPT": SmtpSession._rcpt,
        b"RSET": SmtpSession._rset,
        b"STARTTLS": SmtpSession._starttls,
        b"VRFY": SmtpSession._vrfy,
        **dict.fromkeys(FOREIGN, SmtpSession._foreign),
    }
)

"""A session with the upstream, from the connection to the login, encrypted as the options say, never less."""

import asyncio
import ipaddress
import ssl
from typing import cast

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from mailguard.core import charset
from mailguard.edge.smtp_out.options import Tls, UpstreamOptions
from mailguard.edge.smtp_out.session import Session
from mailguard.edge.smtp_out.wire import Wire

_READY = 220
_NOT_KNOWN = 500


class Refused(Exception):
    """The upstream would not be talked to; nothing was offered to it yet."""


async def open_session(
    options: UpstreamOptions, context: ssl.SSLContext | None, *, patient: bool = False
) -> Session:
    """Connect, encrypt, and log in. Raises Refused."""
    client = aiosmtplib.SMTP(
        hostname=options.host,
        port=options.port,
        local_hostname=options.hostname,
        timeout=options.connect_timeout.total_seconds(),
        use_tls=options.tls == Tls.TLS,
        start_tls=False,
        tls_context=context,
    )
    try:
        await client.connect()
        await _greet(client)
        if options.tls == Tls.STARTTLS:
            await _encrypt(client)
            await _greet(client)
        if options.username is not None:
            await _log_in(client, options)
        if client.transport is None:
            raise Refused("it closed the connection")
        wire = Wire()
        wire.adopt(cast(asyncio.Transport, client.transport))
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        client.close()
        raise Refused(_told(error)) from error
    except BaseException:
        client.close()
        raise
    return Session(wire, dict(client.esmtp_extensions), options, patient=patient)


async def _greet(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError as error:
        # Only a server that does not know the word is greeted in the old way (RFC 5321 section 3.2): one that
        # is busy would be taken for one that cannot take 8-bit mail.
        if error.code < _NOT_KNOWN:
            raise
        await client.helo()


async def _encrypt(client: aiosmtplib.SMTP) -> None:
    if not client.supports_extension("starttls"):
        raise Refused("it does not offer STARTTLS, and nothing is sent to it without encryption")
    if client.protocol is None or client.transport is None:
        raise Refused("it closed the connection")
    fence = _Fence(client.protocol)
    cast(asyncio.Transport, client.transport).set_protocol(fence)
    try:
        await client.starttls()
    except aiosmtplib.SMTPException as error:
        raise Refused(fence.trouble or f"it did not start encryption: {_told(error)}") from error


class _Fence(asyncio.Protocol):
    """Stands before the protocol that waits for the answer to STARTTLS. Whatever comes in the clear behind
    that answer was put there by somebody (RFC 3207 section 6), and ends the connection."""

    def __init__(self, behind: SMTPProtocol) -> None:
        self._behind = behind
        self._heard = bytearray()
        self.trouble = ""

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if self._heard.startswith(b"%d" % _READY) and self._overfull():
            self.trouble = "it sent more than an answer before the encryption: somebody may be in between"
            transport = self._behind.transport
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
            return
        self._behind.data_received(data)

    def _overfull(self) -> bool:
        """Whether anything stands behind the last line of the answer."""
        begin = 0
        while (end := self._heard.find(b"\n", begin)) >= 0:
            if self._heard[begin + 3 : begin + 4] != b"-":
                return len(self._heard) > end + 1
            begin = end + 1
        return False

    def eof_received(self) -> bool:
        return bool(self._behind.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        self._behind.connection_lost(exc)

    def pause_writing(self) -> None:
        self._behind.pause_writing()

    def resume_writing(self) -> None:
        self._behind.resume_writing()


async def _log_in(client: aiosmtplib.SMTP, options: UpstreamOptions) -> None:
    if client.get_transport_info("sslcontext") is None and not _loopback(client):
        raise Refused("the password is not sent without TLS: set tls to starttls or tls")
    try:
        await client.login(options.username or "", options.password or "")
    except aiosmtplib.SMTPAuthenticationError as error:
        raise Refused(f"it did not take the login {options.username!r}: {_told(error)}") from error


def _loopback(client: aiosmtplib.SMTP) -> bool:
    peer = client.get_transport_info("peername")
    return isinstance(peer, tuple) and ipaddress.ip_address(str(peer[0]).partition("%")[0]).is_loopback


def _told(error: BaseException) -> str:
    """What went wrong, in words for an administrator."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {found.verify_message}"
        if isinstance(found, ssl.SSLError):
            return f"it did not agree on encryption: {found.reason or found}"
        found = found.__cause__
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {charset.clean(error.message)}"
    return str(error) or type(error).__name__

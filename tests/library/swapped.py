"""The guard's SMTP session in the place of aiosmtpd's class: what a handler of that library would see.

aiosmtpd's own tests are run against it (tests/library/test_aiosmtpd.py), and so can be any program that takes
a class: `MG_CLASS=tests.library.swapped:Swapped`. The constructor takes the library's arguments; what
they have no counterpart for here is overlooked, and its tests stand in differences.toml.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from aiosmtpd.smtp import AuthResult, LoginPassword, make_loop
from aiosmtpd.smtp import Envelope as LibraryEnvelope

from mailguard.core.account import Account
from mailguard.core.envelope import Submission
from mailguard.core.reply import Reply
from mailguard.edge.clock import SystemClock
from mailguard.edge.smtp_in import Reception, SmtpOptions, SmtpSession
from tests.upstreams import Lines

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
OK = Reply(code=250, status="", text="OK")


class Callbacks:
    """Logins, judged by what the library calls an authenticator or an auth_callback."""

    def __init__(self, judge: Callable[[str, str], bool]) -> None:
        self._judge = judge

    async def authenticate(self, login: str, password: str) -> Account | None:
        return Account(login=login, addresses=("*@example.com",)) if self._judge(login, password) else None

    async def account(self, login: str) -> Account | None:
        return None

    async def members(self, address: str) -> frozenset[str]:
        return frozenset()


def _options(how: Mapping[str, Any]) -> SmtpOptions:
    """What the library's arguments come to."""
    return SmtpOptions(
        hostname=how.get("hostname") or socket.getfqdn(),
        trusted_networks=() if how.get("auth_required") else LOOPBACK,
        max_message_bytes=how.get("data_size_limit", 2**25) or 2**30,
        idle_timeout=timedelta(seconds=how.get("timeout", 300)),
        auth_without_tls=not how.get("auth_require_tls", True),
        auth_delay=timedelta(0),
    )


class Swapped(SmtpSession):
    """One session for one handler, with a reception of its own."""

    used = 0

    def __init__(self, handler: Any, *, loop: asyncio.AbstractEventLoop | None = None, **how: Any) -> None:
        self.event_handler = handler
        self._decode = how.get("decode_data", False)
        self._callback: Callable[[str, bytes, bytes], bool] | None = how.get("auth_callback")
        self._authenticator: Callable[..., AuthResult] | None = how.get("authenticator")
        context: ssl.SSLContext | None = how.get("tls_context")
        reception = Reception(
            options=_options(how),
            accept=self._accepted,
            accounts=Callbacks(self._judged),
            clock=SystemClock(),
            log=Lines(),
            tls=(lambda: context) if context is not None else None,
        )
        # Some tests make one before any loop runs.
        reception._loop = loop or make_loop()
        super().__init__(reception)
        self.hostname = reception.options.hostname

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it, so that a run can tell that this class was used at all."""
        type(self).used += 1
        super().connection_made(transport)

    def _judged(self, login: str, password: str) -> bool:
        words = LoginPassword(login.encode(), password.encode())
        if self._authenticator is not None:
            return self._authenticator(self, self.session, LibraryEnvelope(), "PLAIN", words).success
        return bool(self._callback and self._callback("PLAIN", *words))

    async def _accepted(self, submission: Submission) -> Reply:
        hook = getattr(self.event_handler, "handle_DATA", None)
        if hook is None:
            return OK
        said = str(await hook(self, self.session, self._envelope_of(submission)))
        return Reply(code=int(said[:3]), status="", text=said[4:])

    def _envelope_of(self, submission: Submission) -> LibraryEnvelope:
        envelope, content = LibraryEnvelope(), submission.content
        envelope.mail_from = submission.envelope.sender
        envelope.rcpt_tos = [recipient.address for recipient in submission.envelope.recipients]
        envelope.smtp_utf8 = submission.envelope.parameters.smtputf8
        envelope.original_content = content
        envelope.content = content.decode("utf-8", "surrogateescape") if self._decode else content
        return envelope

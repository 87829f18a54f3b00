"""The ways in by SMTP, with and without TLS, and the one for copies to learn from."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from mailguard.app.parts import Means
from mailguard.core.envelope import Submission
from mailguard.core.reply import Reply
from mailguard.core.value import dataclass
from mailguard.edge.clock import SystemClock
from mailguard.edge.config import Settings
from mailguard.edge.listeners import Certificates, OpenFiles, Port, listen
from mailguard.edge.smtp_in import Reception, SmtpOptions, SmtpSession
from mailguard.edge.smtp_in.reception import Accept
from mailguard.flow.guessing import Guessing
from mailguard.ports import Accounts, Log

Addresses = dict[str, list[str]]

# What is in hand when the guard is told to stop gets so long to come to its end.
GRACE = timedelta(seconds=15)


@dataclass(frozen=True, kw_only=True)
class Taking:
    """What SMTP needs of the rest: who takes a message, who a copy to learn from, and who may log in."""

    accept: Accept
    learn: Accept
    accounts: Accounts
    guessing: Guessing


@dataclass(frozen=True, kw_only=True)
class Place:
    """What SMTP needs of the process that it runs in."""

    settings: Settings
    clock: SystemClock
    files: OpenFiles
    log: Log


def _options(settings: Settings, files: OpenFiles) -> SmtpOptions:
    """What the settings say about SMTP, as far as there are files for it."""
    smtp = settings.smtp
    return SmtpOptions(
        hostname=settings.hostname,
        trusted_networks=smtp.trusted_networks,
        max_message_bytes=smtp.max_message_bytes,
        max_recipients=smtp.max_recipients,
        max_connections=files.connections(smtp.max_connections),
        max_connections_per_ip=smtp.max_connections_per_ip,
        max_bytes_in_flight=smtp.max_bytes_in_flight,
        bare_newline=smtp.bare_newline,
    )


@asynccontextmanager
async def opened_smtp(place: Place, taking: Taking) -> AsyncIterator[Addresses]:
    """The open ports, by what they are for; at the end, what is coming in comes to its end. Raises
    ConfigurationError where one of them cannot be opened."""
    smtp, log = place.settings.smtp, place.log
    tls: Callable[[], ssl.SSLContext] | None = None
    if smtp.tls_cert is not None and smtp.tls_key is not None:
        tls = Certificates(cert=smtp.tls_cert, key=smtp.tls_key, log=log).context
    options = _options(place.settings, place.files)
    built = partial(Reception, options=options, clock=place.clock, log=log, tls=tls)
    reception = built(accept=taking.accept, accounts=taking.accounts, guessing=taking.guessing)
    # For the trusted networks alone, and without any login.
    learning = built(accept=taking.learn, accounts=None)
    plain = [Port(address=str(each), factory=partial(SmtpSession, reception)) for each in smtp.listen]
    implicit = [
        Port(address=str(each), factory=partial(SmtpSession, reception, implicit_tls=True))
        for each in smtp.listen_tls
    ]
    copies = [Port(address=str(each), factory=partial(SmtpSession, learning)) for each in smtp.learn_listen]
    listeners = await listen([*plain, *implicit, *copies])
    try:
        addresses = list(listeners.addresses)
        yield {name: places for name, places in _named(addresses, len(plain), len(implicit)) if places}
    finally:
        listeners.close()
        await asyncio.gather(reception.drain(GRACE), learning.drain(GRACE))


def _named(addresses: list[str], plain: int, implicit: int) -> list[tuple[str, list[str]]]:
    return [
        ("SMTP", addresses[:plain]),
        ("SMTP with TLS", addresses[plain : plain + implicit]),
        ("copies to learn from", addresses[plain + implicit :]),
    ]


async def timed(
    accept: Callable[[Submission], Awaitable[Reply]], means: Means, submission: Submission, spent: float = 0
) -> Reply:
    """How long the client waits is counted, with the seconds that it has waited already."""
    began = means.clock.monotonic()
    try:
        return await accept(submission)
    finally:
        means.log.accepts.add(means.clock.monotonic() - began + spent)

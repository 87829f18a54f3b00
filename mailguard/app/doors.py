"""The ways in: SMTP, with and without TLS, and the control socket of the command line."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from mailguard.app.outward import edit_again_of
from mailguard.app.parts import Means, Queue
from mailguard.app.web import opened_web
from mailguard.core.envelope import Submission
from mailguard.core.reply import Reply
from mailguard.edge.control import ControlServer
from mailguard.edge.control_client import SOCKET
from mailguard.edge.ids import RandomIds
from mailguard.edge.listeners import Certificates, Port, listen
from mailguard.edge.smtp_in import Reception, SmtpOptions, SmtpSession
from mailguard.flow.by_mail import ByMail
from mailguard.ports import Accounts

Addresses = dict[str, list[str]]

# What is in hand when the guard is told to stop gets so long to come to its end.
GRACE = timedelta(seconds=15)


@asynccontextmanager
async def opened_doors(means: Means, queue: Queue) -> AsyncIterator[Addresses]:
    """The ways in: SMTP, and the control socket. They close before the queue does."""
    settings, log = means.settings, means.log
    smtp = settings.smtp
    tls: Callable[[], ssl.SSLContext] | None = None
    if smtp.tls_cert is not None and smtp.tls_key is not None:
        tls = Certificates(cert=smtp.tls_cert, key=smtp.tls_key, log=log).context
    accounts = queue.writing.accounts
    reception = _reception(means, queue, accounts, tls)
    plain = [Port(address=str(place), factory=partial(SmtpSession, reception)) for place in smtp.listen]
    implicit = [
        Port(address=str(place), factory=partial(SmtpSession, reception, implicit_tls=True))
        for place in smtp.listen_tls
    ]
    learning = _learning(means, queue, reception, tls)
    copies = [Port(address=str(place), factory=partial(SmtpSession, learning)) for place in smtp.learn_listen]
    listeners = await listen([*plain, *implicit, *copies])
    control = ControlServer(path=settings.state_dir / SOCKET, answer=queue.desk.answer, log=log)
    try:
        await control.start()
        addresses = list(listeners.addresses)
        named = {name: places for name, places in _named(addresses, len(plain), len(implicit)) if places}
        async with opened_web(means, queue, accounts, reception.guessing) as pages:
            yield {**named, **pages}
    finally:
        listeners.close()
        await control.close()
        await asyncio.gather(reception.drain(GRACE), learning.drain(GRACE))


def _named(addresses: list[str], plain: int, implicit: int) -> list[tuple[str, list[str]]]:
    return [
        ("SMTP", addresses[:plain]),
        ("SMTP with TLS", addresses[plain : plain + implicit]),
        ("copies to learn from", addresses[plain + implicit :]),
    ]


def _reception(
    means: Means, queue: Queue, accounts: Accounts, tls: Callable[[], ssl.SSLContext] | None
) -> Reception:
    smtp = means.settings.smtp
    by_mail = ByMail(
        then=queue.receive.accept,
        decide=queue.decide,
        history=queue.history,
        store=queue.store,
        bodies=queue.bodies,
        people=queue.writing.people,
        speaking=queue.writing.speaking,
        clock=means.clock,
        log=means.log,
        ids=RandomIds(),
        hostname=means.settings.hostname,
        wake=queue.alarm.sound,
        edit_again=edit_again_of(means.settings, queue.decide, queue.store, means.log),
    )
    return Reception(
        options=SmtpOptions(
            hostname=means.settings.hostname,
            trusted_networks=smtp.trusted_networks,
            max_message_bytes=smtp.max_message_bytes,
            max_recipients=smtp.max_recipients,
            max_connections=means.files.connections(smtp.max_connections),
            max_connections_per_ip=smtp.max_connections_per_ip,
            max_bytes_in_flight=smtp.max_bytes_in_flight,
            bare_newline=smtp.bare_newline,
        ),
        accept=partial(_timed, by_mail.accept, means),
        accounts=accounts,
        clock=means.clock,
        log=means.log,
        tls=tls,
    )


async def _timed(
    accept: Callable[[Submission], Awaitable[Reply]], means: Means, submission: Submission
) -> Reply:
    """How long the client waits is counted."""
    began = means.clock.monotonic()
    try:
        return await accept(submission)
    finally:
        means.log.accepts.add(means.clock.monotonic() - began)


def _learning(
    means: Means, queue: Queue, reception: Reception, tls: Callable[[], ssl.SSLContext] | None
) -> Reception:
    """The way in for copies, which end there: for the trusted networks alone, and without any login."""
    return Reception(
        options=reception.options,
        accept=queue.learning.accept,
        accounts=None,
        clock=means.clock,
        log=means.log,
        tls=tls,
    )

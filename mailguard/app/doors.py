"""The ways in: SMTP, the control socket of the command line, and the page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from mailguard.app.outward import edit_again_of
from mailguard.app.parts import Means, Queue
from mailguard.app.smtp import Addresses, Place, Taking, opened_smtp, timed
from mailguard.app.web import opened_web
from mailguard.edge.control import ControlServer
from mailguard.edge.control_client import SOCKET
from mailguard.edge.ids import RandomIds
from mailguard.edge.smtp_in import SmtpOptions
from mailguard.flow.by_mail import ByMail
from mailguard.flow.guessing import Guessing

if TYPE_CHECKING:
    from mailguard.app.front import Front


@asynccontextmanager
async def opened_doors(means: Means, queue: Queue, front: "Front | None") -> AsyncIterator[Addresses]:
    """The ways in, until the context ends; they close before the queue does. SMTP is spoken here, or by the
    `front`, where there is one."""
    settings, accounts = means.settings, queue.writing.accounts
    options = SmtpOptions(hostname=settings.hostname)
    tell = front.tried if front is not None else None
    guessing = Guessing(options, means.clock.monotonic, tell)
    taking = Taking(
        accept=partial(timed, _by_mail(means, queue).accept, means),
        learn=queue.learning.accept,
        accounts=accounts,
        guessing=guessing,
    )
    if front is not None:
        smtp = front.opened(means, queue, taking)
    else:
        place = Place(settings=settings, clock=means.clock, files=means.files, log=means.log)
        smtp = opened_smtp(place, taking)
    control = ControlServer(path=settings.state_dir / SOCKET, answer=queue.desk.answer, log=means.log)
    async with smtp as addresses:
        try:
            await control.start()
            async with opened_web(means, queue, accounts, guessing) as pages:
                yield {**addresses, **pages}
        finally:
            await control.close()


def _by_mail(means: Means, queue: Queue) -> ByMail:
    return ByMail(
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

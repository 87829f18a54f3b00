"""The way in by HTTP: made only where a page is wanted, because its libraries take a while to load."""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mailguard.app.parts import PAGE, Means, Queue
from mailguard.edge.config import Settings
from mailguard.flow.guessing import Guessing
from mailguard.ports.access import Logins


def loaded(settings: Settings) -> None:
    """Load the libraries, where a page is wanted, before the loop has anything else to do."""
    if settings.web.listen is not None:
        importlib.import_module("mailguard.edge.web.app")


@asynccontextmanager
async def opened_web(
    means: Means, queue: Queue, accounts: Logins, guessing: Guessing
) -> AsyncIterator[dict[str, list[str]]]:
    """The page and the JSON interface, until the context ends. Raises ConfigurationError where the port
    cannot be opened."""
    settings = means.settings
    if settings.web.listen is None:
        yield {}
        return
    from mailguard.edge.web.app import build  # noqa: PLC0415
    from mailguard.edge.web.parts import Parts, WebOptions  # noqa: PLC0415
    from mailguard.edge.web.server import WebServer, listening  # noqa: PLC0415

    port = listening(settings.web.listen.host, settings.web.listen.port)
    where = _written(port.getsockname())
    parts = Parts(
        ask=queue.desk.answer,
        accounts=accounts,
        people=queue.writing.people,
        sessions=queue.sessions,
        keyring=queue.keyring,
        guessing=guessing,
        once=queue.once,
        links=queue.writing.links,
        clock=means.clock,
        log=means.log,
        changes=queue.changes,
        counts=means.log,
        options=WebOptions(
            public_url=settings.web.public_url or f"http://{where}", listen=where, **_how(settings)
        ),
    )
    server = WebServer(build(parts), port, parts.options)
    server.start()
    try:
        yield {PAGE: [f"http://{where}"]}
    finally:
        parts.closing.set()
        await server.close()


def _how(settings: Settings) -> dict[str, Any]:
    """What WebOptions takes from the configuration as it is."""
    return {
        "hostname": settings.hostname,
        "language": settings.language,
        "monitors": settings.web.monitors,
        "trusted_proxies": settings.web.trusted_proxies,
        "largest_message": settings.smtp.max_message_bytes,
    }


def _written(name: tuple[str, int]) -> str:
    host, port = name[0], name[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

"""Tells a web service by HTTP, signed as Standard Webhooks 1.0 has it (standardwebhooks.com).

The address is the admin's own, so it may be inside; what the service answers decides nothing but whether it
has taken the news. Redirects are not followed: they could lead the signed news anywhere.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import socket
import ssl
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import httpx2

from mailguard.core.errors import NotTold
from mailguard.core.news import Dispatch
from mailguard.edge.outbound.aside import Aside

# The whole attempt, whatever the other side does; each part of it.
DEADLINE = 15.0
TIMEOUT = httpx2.Timeout(10.0)
CONNECTIONS = httpx2.Limits(max_connections=8, max_keepalive_connections=2)
# Threads that may wait for a name server at the same time.
NAMES = 2
PREFIX = "whsec_"


class WebhookNotifier:
    """ports.Notifier: one POST an attempt, done where the answer is a 2xx. `secret` is `whsec_...`."""

    def __init__(
        self, *, url: str, secret: str, now: Callable[[], datetime], deadline: float = DEADLINE
    ) -> None:
        self._url = url
        self._key = key(secret)
        self._now = now
        self._deadline = deadline
        self._names = Aside(name="names", places=NAMES, deadline=deadline)
        # These write addresses into logs of their own.
        for library in ("httpx2", "httpcore2"):
            logging.getLogger(library).setLevel(logging.CRITICAL + 1)
        # Neither proxies nor logins are taken from the environment: the admin has named whom to tell.
        self._client = httpx2.AsyncClient(
            timeout=TIMEOUT,
            limits=CONNECTIONS,
            follow_redirects=False,
            trust_env=False,
            verify=ssl.create_default_context(),
        )

    async def tell(self, dispatch: Dispatch) -> None:
        """Tell it once. Raises NotTold."""
        body = dispatch.content.encode("ascii")
        moment = int(self._now().timestamp())
        headers = {
            "content-type": "application/json",
            "user-agent": "mailguard",
            "webhook-id": dispatch.id,
            "webhook-timestamp": str(moment),
            "webhook-signature": signature(self._key, dispatch.id, moment, body),
        }
        try:
            async with asyncio.timeout(self._deadline):
                await self._names.run(self._look_up)
                status = await self._post(body, headers)
        except TimeoutError:
            raise NotTold(f"{self._place()} did not answer in time") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            # Not the error's text: it may have the address, and with it a token, in it.
            raise NotTold(f"{self._place()} cannot be reached: {type(error).__name__}") from None
        if not 200 <= status < 300:
            # 410 Gone: the service says that it wants no more of this.
            raise NotTold(f"{self._place()} answered {status}", final=status == 410)

    def _look_up(self) -> None:
        """Ask for the service's name in a thread of its own, before the library asks in one of those that the
        mail has need of: a name server that does not answer would keep them all. Raises OSError."""
        parts = urlsplit(self._url)
        socket.getaddrinfo(parts.hostname, parts.port or parts.scheme, type=socket.SOCK_STREAM)

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        # Only the status is read: a body without an end is left where it is.
        async with self._client.stream("POST", self._url, content=body, headers=headers) as response:
            return int(response.status_code)

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    def _place(self) -> str:
        """The service without what may be secret of its address."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def key(secret: str) -> bytes:
    """The bytes of a secret. Raises ValueError."""
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


def signature(secret: bytes, id: str, timestamp: int, body: bytes) -> str:
    """What `webhook-signature` says: of id, time and body together, so that none can be exchanged."""
    signed = b".".join((id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode("ascii")

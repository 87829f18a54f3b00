"""Tells a chat room or a desktop through apprise: one library for Slack, Teams, Mattermost, ntfy and others.

Its addresses hold the tokens of these services: none is ever written anywhere."""

import json
import logging

import apprise

from mailguard.core.errors import NotTold
from mailguard.core.news import Dispatch
from mailguard.edge.outbound.aside import Aside

# The library gives each connection a few seconds; it may make several.
DEADLINE = 30.0
PLACES = 4


class ChatNotifier:
    """ports.Notifier on an address such as `slack://...`. Raises ValueError where the library does not know
    it; the text does not repeat the address."""

    def __init__(self, *, url: str, deadline: float = DEADLINE) -> None:
        # These write addresses, and with `debug` the whole news, into logs of their own.
        for library in ("apprise", "urllib3"):
            logging.getLogger(library).setLevel(logging.CRITICAL + 1)
        asset = apprise.AppriseAsset(
            app_id="mailguard", app_desc="mailguard", app_url="", async_mode=False, secure_logging=True
        )
        service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
        if service is None:
            raise ValueError("is no address that apprise knows")
        self._service = service
        self._aside = Aside(name="chat", places=PLACES, deadline=deadline)

    async def tell(self, dispatch: Dispatch) -> None:
        """Tell it once. Raises NotTold."""
        said = json.loads(dispatch.content)
        # A name may hold half a character, which no service could be told.
        text = str(said["text"]).encode("utf-8", "replace").decode("utf-8")

        def notify() -> bool:
            return bool(
                self._service.notify(title="mailguard", body=text, body_format=apprise.NotifyFormat.TEXT)
            )

        try:
            told = await self._aside.run(notify)
        except TimeoutError:
            raise NotTold(f"the {self._kind()} service did not answer in time") from None
        if not told:
            # Why, only the library's log would say, and it says it with the address.
            raise NotTold(f"the {self._kind()} service did not take it")

    async def close(self) -> None:
        """Nothing is open between two pieces of news."""

    def _kind(self) -> str:
        return str(self._service.service_name or "chat")

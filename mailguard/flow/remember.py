"""Learn from mail that really left: which messages make one thread, and who writes to whom about what."""

from mailguard.core import address
from mailguard.core import message as reading
from mailguard.core.facts import Headers
from mailguard.core.hold import HeldMessage
from mailguard.core.recall import posting
from mailguard.core.states import RecipientState
from mailguard.ports import Bodies, Log, Memory
from mailguard.ports.recall import Recalls


class Remember:
    """Feeds the memory; a failure here never touches the mail. Without `recalling` it learns threads only."""

    def __init__(
        self,
        *,
        memory: Memory,
        recalling: Recalls | None = None,
        bodies: Bodies | None = None,
        log: Log | None = None,
    ) -> None:
        self._memory = memory
        self._recalling = recalling
        self._bodies = bodies
        self._log = log

    async def departed(self, message: HeldMessage, content: bytes, *, left: bool) -> None:
        """An attempt is over; `left` tells that it reached somebody. Never raises.

        A mail that left makes its thread; once nothing will happen to it any more, those whom it reached
        were meant. Not before: until then somebody may still be dropped.
        """
        if not message.sender or not (left or message.state.finished):
            return
        try:
            headers = reading.read_headers(content)
            if left:
                await self._thread(headers)
            if message.state.finished:
                await self._habits(message, headers, content)
        except Exception as error:  # noqa: BLE001  the mail has left; only the memory is poorer
            if self._log is not None:
                self._log.trouble("not_learnt", id=message.id, error=str(error) or type(error).__name__)

    async def _thread(self, headers: Headers) -> None:
        """Its thread now includes whom its header names. Bcc recipients are not among them: what one sender
        hid must not show in another's warnings."""
        if not headers.message_id:
            return
        people = (*headers.from_, *headers.to, *headers.cc, *headers.reply_to)
        await self._memory.learn(
            headers.message_id.strip("<>"),
            headers.thread_ids,
            tuple(dict.fromkeys(map(address.normal, people))),
        )

    async def _habits(self, message: HeldMessage, headers: Headers, content: bytes) -> None:
        """What a program wrote by itself is no habit."""
        reached = [r.address for r in message.recipients if r.state is RecipientState.SENT]
        if self._recalling is None or self._bodies is None or not self._recalling.on or not reached:
            return
        if posting.is_automatic(headers):
            return
        body = await self._bodies.read(content, headers)
        letter = posting.on_its_way(
            headers, body.text, sender=message.sender, recipients=reached, when=message.received_at
        )
        await self._recalling.observe(letter)

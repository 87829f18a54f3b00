"""Learn from mail that really left: which messages make one thread, and who writes to whom about what."""

from mailguard.core import address
from mailguard.core import message as reading
from mailguard.core.hold import HeldMessage
from mailguard.core.recall import posting
from mailguard.core.states import RecipientState
from mailguard.flow.recalling import Recalling
from mailguard.ports import Bodies, Log, Memory


class Remember:
    """Feeds the memory; a failure here never touches the mail. Without `recalling` it learns threads only."""

    def __init__(
        self,
        *,
        memory: Memory,
        recalling: Recalling | None = None,
        bodies: Bodies | None = None,
        log: Log | None = None,
    ) -> None:
        self._memory = memory
        self._recalling = recalling
        self._bodies = bodies
        self._log = log

    async def left(self, content: bytes) -> None:
        """A message left: its thread now includes whom its header names. Bcc recipients are not
        among them: what one sender hid must not show in another's warnings."""
        headers = reading.read_headers(content)
        if not headers.message_id:
            return
        people = (*headers.from_, *headers.to, *headers.cc, *headers.reply_to)
        await self._memory.learn(
            headers.message_id.strip("<>"),
            headers.thread_ids,
            tuple(dict.fromkeys(map(address.normal, people))),
        )

    async def finished(self, message: HeldMessage, content: bytes) -> None:
        """Nothing will happen to a message any more: those whom it reached were meant.

        Not before: until then somebody may still be dropped. What a program wrote by itself is no habit.
        """
        reached = [r.address for r in message.recipients if r.state is RecipientState.SENT]
        if self._recalling is None or self._bodies is None or not self._recalling.on or not reached:
            return
        try:
            headers = reading.read_headers(content)
            if posting.is_automatic(headers):
                return
            body = await self._bodies.read(content, headers)
            letter = posting.on_its_way(
                headers, body.text, sender=message.sender, recipients=reached, when=message.received_at
            )
            await self._recalling.observe(letter)
        except Exception as error:  # noqa: BLE001  the mail has left; only the memory is poorer
            if self._log is not None:
                self._log.trouble("not_learnt", id=message.id, error=str(error) or type(error).__name__)

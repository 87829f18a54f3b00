"""Learn from mail that really left: which messages make one thread, and who takes part in it."""

from mailguard.core import address
from mailguard.core import message as reading
from mailguard.ports import Memory


class Remember:
    """Feeds the memory; a failure here never touches the mail."""

    def __init__(self, *, memory: Memory) -> None:
        self._memory = memory

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

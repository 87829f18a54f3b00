"""An upstream that fails by script, and a log that remembers."""

import asyncio
from collections.abc import Sequence

from mailguard.core.delivery import Answer, Outcome
from mailguard.core.hold import Claimed


class ScriptedRelay:
    """ports.Relay: answers each attempt from `script` (then TAKEN), and keeps what it was handed.

    An entry is one answer for all recipients, or one per in-flight recipient, or an exception to raise.
    """

    def __init__(self, *script: Answer | Sequence[Answer] | Exception) -> None:
        self._script = list(script)
        self.taken: list[tuple[str, str, bytes]] = []
        self.attempts: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def attempt(self, claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        """One attempt, as the script says; waits where the test has shut the gate."""
        self.attempts.append(claimed.message.id)
        await self.gate.wait()
        step = self._script.pop(0) if self._script else Answer.TAKEN
        if isinstance(step, Exception):
            raise step
        flying = [r.address for r in claimed.message.recipients if r.in_flight]
        answers = [step] * len(flying) if isinstance(step, Answer) else list(step)
        outcomes = [
            Outcome(address=address, answer=answer, reply=f"{answer} by script")
            for address, answer in zip(flying, answers, strict=True)
        ]
        for outcome in outcomes:
            if outcome.answer is Answer.TAKEN:
                self.taken.append((claimed.message.id, outcome.address, content))
        return outcomes

    async def close(self) -> None:
        """Nothing to close."""


class Lines:
    """ports.Log that remembers what it was told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def event(self, name: str, /, **fields: object) -> None:
        """Remember it."""
        self.lines.append((name, fields))

    def trouble(self, name: str, /, **fields: object) -> None:
        """Remember it."""
        self.lines.append((name, fields))

    @property
    def names(self) -> list[str]:
        """The names of all events, in order."""
        return [name for name, _ in self.lines]

"""Asks those again who have not said yes: the deputies after a while, everybody before the end."""

from collections.abc import Callable
from datetime import datetime

from mailguard.core import reminder
from mailguard.core.errors import IllegalMove, StoreError
from mailguard.core.events import GUARD
from mailguard.core.hold import HeldMessage
from mailguard.core.reminder import Reminder
from mailguard.flow.noticing import Noticing
from mailguard.ports import Clock, Log, Store

# Seconds between two looks: hours are waited for here, and nobody is told the minute.
INTERVAL = 30.0
AT_ONCE = 100


class Reminding:
    """`wake` tells the timer of the next due time."""

    def __init__(
        self, *, store: Store, noticing: Noticing, clock: Clock, log: Log, wake: Callable[[datetime], None]
    ) -> None:
        self._store = store
        self._noticing = noticing
        self._clock = clock
        self._log = log
        self._wake = wake

    async def run(self) -> None:
        """Until the task is cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(INTERVAL)

    async def look(self) -> None:
        """Ask all whose time has come; one message's trouble does not keep the others waiting."""
        try:
            due = await self._store.to_remind(self._clock.now(), AT_ONCE)
        except StoreError as error:
            self._log.trouble("store_error", error=str(error))
            return
        for message in due:
            try:
                await self._remind(message)
            except (StoreError, IllegalMove) as error:
                self._log.trouble("remind_fault", id=message.id, fault=str(error))

    async def _remind(self, message: HeldMessage) -> None:
        made = reminder.remind(message, by=GUARD, now=self._clock.now())
        if not isinstance(made, Reminder):
            return
        change = await self._noticing.reminded(made)
        # Whoever was faster has said yes or no.
        if await self._store.apply(change):
            self._log.event("remind", id=message.id, asked=len(change.adds))
            for new in change.adds:
                if new.message.due_at is not None:
                    self._wake(new.message.due_at)

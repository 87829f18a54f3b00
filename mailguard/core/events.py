"""The audit trail's unit: what happened to a message, when, and by whom."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from mailguard.core.value import dataclass

# The name under which the guard itself acts: the timer, the relay, a restart.
GUARD = "mailguard"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One line of a message's history, written in the same transaction as the change it tells of.

    `event` is the name of a Move, or `received`; `by` is a login, an address, `admin` or GUARD;
    `detail` holds plain words and numbers for the reader, never a body or a secret.
    """

    at: datetime
    event: str
    by: str
    detail: Mapping[str, object] = field(default_factory=dict)

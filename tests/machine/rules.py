"""The rules of the state machine in a few forms, and what they mean for a message, worked out by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailguard.core.envelope import Recipient
from mailguard.core.policy import Policy
from mailguard.core.states import MessageState
from mailguard.edge.config import parse_rules
from tests.machine.ledger import Entry, Line

INSIDE = "boss@corp.example"
OUTSIDE = "client@client.example"
SLOW = "lawyer@slow.example"
CONFIRM = "ceo@big.example"
APPROVE = "desk@press.example"
BOARD = "chair@board.example"
REFUSED = "enemy@rival.example"

EVERYBODY = (INSIDE, OUTSIDE, SLOW, CONFIRM, APPROVE, BOARD)
EXPIRE = {CONFIRM: timedelta(days=1), APPROVE: timedelta(days=2), BOARD: timedelta(days=3)}

TEXT = """
internal_domains = ["corp.example"]
margin = "{margin}s"
undo = "{undo}d"
keep = "{keep}d"

[[rule]]
name = "external"
when = {{ to = "external" }}
delay = "{outside}s"

[[rule]]
name = "slow"
when = {{ to = "@slow.example" }}
delay = "{slow}s"
split = true
exempts = ["external"]

[[rule]]
name = "big"
when = {{ to = "@big.example" }}
action = "confirm"
expire = "1d"

[[rule]]
name = "press"
when = {{ to = "@press.example" }}
action = "approve"
approvers = ["bob@corp.example"]
expire = "2d"

[[rule]]
name = "board"
when = {{ to = "@board.example" }}
action = "approve"
approvers = ["bob@corp.example"]
expire = "3d"
split = true

[[rule]]
name = "rival"
when = {{ to = "@rival.example" }}
action = "refuse"
text = "We do not write to rivals"

[checks]
stranger_in_thread = {{ action = "off" }}
forgotten_attachment = {{ action = "off" }}
"""


@dataclass(frozen=True, kw_only=True)
class Form:
    """The numbers of one form of the rules."""

    margin: timedelta
    outside: timedelta
    slow: timedelta
    undo: timedelta
    keep: timedelta

    @property
    def text(self) -> str:
        """The file."""
        seconds = {name: int(getattr(self, name).total_seconds()) for name in ("margin", "outside", "slow")}
        return TEXT.format(**seconds, undo=self.undo.days, keep=self.keep.days)

    def entry(self, sender: str, to: Sequence[Recipient], content: bytes, now: datetime) -> Entry:
        """What has to become of a message."""
        addresses = {one.address for one in to}
        gate = MessageState.CONFIRM if CONFIRM in addresses else None
        if addresses & {APPROVE, BOARD}:
            gate = MessageState.APPROVAL
        return Entry(
            id="",
            sender=sender,
            content=content,
            received=now,
            margin=self.margin,
            undo=self.undo,
            expire=min((EXPIRE[one] for one in addresses if one in EXPIRE), default=timedelta(days=2)),
            gate=gate,
            lines=[self._line(one, addresses, now) for one in to],
        )

    def _line(self, one: Recipient, addresses: set[str], now: datetime) -> Line:
        outside = self.outside if addresses - {INSIDE} and SLOW not in addresses else timedelta(0)
        delay = max(outside, self.slow if one.address == SLOW else timedelta(0))
        # Only the board's rule leaves the others out of it.
        gated = one.address == BOARD or bool(addresses & {CONFIRM, APPROVE})
        told = None if gated else now + delay
        due = None if told is None else told + (self.margin if delay else timedelta(0))
        return Line(address=one.address, delay=delay, gated=gated, told=told, due=due, notify=one.notify)


def policy(numbers: Form) -> Policy:
    """The rules as the guard has them in force."""
    return parse_rules(numbers.text, "rules.toml")


def form(margin: int, outside: int, slow: int, undo_days: int, keep_days: int) -> Form:
    """Seconds, minutes, minutes, days and days."""
    return Form(
        margin=timedelta(seconds=margin),
        outside=timedelta(minutes=outside),
        slow=timedelta(minutes=slow),
        undo=timedelta(days=undo_days),
        keep=timedelta(days=keep_days),
    )


FORMS = (form(3, 5, 60, 7, 90), form(0, 1, 30, 1, 2), form(10, 60, 5, 30, 9), form(3, 0, 60, 7, 90))

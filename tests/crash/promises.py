"""What a guard had promised by the time of a power cut, and what of that its disk does not hold."""

import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from mailguard.core.hold import HeldMessage, HeldRecipient
from mailguard.core.states import RecipientState
from tests.crash.recording import Said

_TAKEN = re.compile(rb"250 2\.0\.0 (?:Held|Queued) as (\w+)")
_OFFERED = re.compile(rb"by \S+ \(mailguard\)[^;]* id (\w+);")

# The states that a message can be in after it was said to be in another. Nothing is cancelled here that was
# not held, so what is on its way stays on its way.
_ON_ITS_WAY = frozenset({"queued", "relaying", "sent", "failed"})
_AFTER: Mapping[str, Set[str]] = {
    "held": {"held", "cancelled", *_ON_ITS_WAY},
    "queued": _ON_ITS_WAY,
    "relaying": _ON_ITS_WAY,
    "sent": {"sent"},
    "failed": {"failed"},
    "cancelled": {"cancelled"},
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as an image has it; `content` is None where the bytes are gone."""

    message: HeldMessage
    content: bytes | None


@dataclass
class Promises:
    """What was said so far. `contents` are the bytes of every message by id; `restored` are the messages
    whose cancel is taken back later, so that it does not hold for ever.

    `stated` is the last state that somebody was told of a message, `dropped` who was told to be dropped;
    what is in `offered` has begun to leave.
    """

    contents: Mapping[str, bytes]
    restored: Set[str] = frozenset()
    taken: set[str] = field(default_factory=set)
    offered: set[str] = field(default_factory=set)
    stated: dict[str, str] = field(default_factory=dict)
    dropped: set[tuple[str, str]] = field(default_factory=set)

    def hear(self, said: Said) -> None:
        """Take in what went out on a socket."""
        if said.place.startswith("UNIX"):
            # The control socket; a loop that wakes itself up writes to one as well.
            if said.data.startswith(b"{"):
                self._answered(json.loads(said.data).get("message"))
            return
        self.taken |= {found.decode() for found in _TAKEN.findall(said.data)}
        self.offered |= {found.decode() for found in _OFFERED.findall(said.data)}

    def _answered(self, message: Mapping[str, object] | None) -> None:
        if not message:
            return
        name, recipients = str(message["id"]), message["recipients"]
        assert isinstance(recipients, list)
        self.stated[name] = str(message["state"])
        for one in recipients:
            if one["state"] == "dropped" and name not in self.restored:
                self.dropped.add((name, one["address"]))

    def broken(self, kept: Mapping[str, Kept]) -> list[str]:
        """What the messages of an image do not hold of it, a sentence each."""
        lost = [f"{name}: lost: its client was told 250" for name in sorted(self.taken - set(kept))]
        return [*lost, *(text for name in kept for text in self._broken(name, kept[name]))]

    def _broken(self, name: str, kept: Kept) -> Iterator[str]:
        message = kept.message
        state, content = message.state.value, self.contents.get(name)
        if kept.content is None and (message.body_kept or not message.state.finished):
            yield f"{name}: {state}, but its bytes are gone"
        if None not in (content, kept.content) and kept.content != content:
            yield f"{name}: its bytes are not those handed in"
        stated = self.stated.get(name)
        if stated and name not in self.restored and state not in _AFTER[stated]:
            yield f"{name}: {state}, but somebody was told that it is {stated}"
        for recipient in message.recipients:
            yield from self._recipient(name, recipient)

    def _recipient(self, name: str, recipient: HeldRecipient) -> Iterator[str]:
        who = f"{name} for {recipient.address}"
        if (name, recipient.address) in self.dropped and recipient.state is not RecipientState.DROPPED:
            yield f"{who}: {recipient.state}, but somebody was told that it is cancelled"
        if name in self.offered and recipient.stoppable and not recipient.maybe_sent:
            yield f"{who}: {recipient.state}, though it has begun to leave: it would go twice, unnoticed"
        if recipient.state is RecipientState.SENT and name not in self.offered:
            yield f"{who}: recorded as sent, but it never left"

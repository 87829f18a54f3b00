"""What the memory keeps of one mail: who, when, in which thread, and about what, in numbers; no text.

The log of Observations is the memory. Every index is made from it again, so that to forget a mail, a person
or a year is to take lines out of the log.
"""

import struct
from collections.abc import Iterable

from mailguard.core.value import dataclass, replace

VERSION = 1
TERM_LIMIT = 80
PEOPLE_LIMIT = 200
ANSWER_LIMIT = 12
NAME_LIMIT = 12
GREETING_LIMIT = 4

_HEAD = struct.Struct("<BBqQQ")
_COUNTS = struct.Struct("<HHHBBBB")
_REPLY, _FORWARD, _LIST = 1, 2, 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """One mail, remembered. `when` is in seconds since 1970 (UTC).

    `message_id`, `answers` (oldest first) and `subject` (without Re: and Fwd:) are keyed digests of 64 bits,
    0 for none; `greeting` and `terms` of 32. A term is a word of the mail with its weight, 1 to 255: what the
    sender wrote weighs more than what he quoted. `hidden` recipients take part in habits, and never in a
    thread. What came `through_list`, a mailing list, names few of those whom it reached. `names` are display
    names by address.
    """

    when: int
    sender: str
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    message_id: int = 0
    answers: tuple[int, ...] = ()
    subject: int = 0
    is_reply: bool = False
    is_forward: bool = False
    through_list: bool = False
    greeting: tuple[int, ...] = ()
    terms: tuple[tuple[int, int], ...] = ()
    names: tuple[tuple[str, str], ...] = ()

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody it went to, each once."""
        return tuple(dict.fromkeys((*self.to, *self.cc, *self.hidden)))


def without(observation: Observation, address: str) -> Observation | None:
    """The observation with a person taken out; None where he was its sender, or nobody else is left."""
    if observation.sender == address:
        return None
    if address not in observation.recipients and all(known != address for known, _ in observation.names):
        return observation
    left = replace(
        observation,
        to=tuple(other for other in observation.to if other != address),
        cc=tuple(other for other in observation.cc if other != address),
        hidden=tuple(other for other in observation.hidden if other != address),
        names=tuple(pair for pair in observation.names if pair[0] != address),
        # The greeting may be his name.
        greeting=(),
    )
    return left if left.recipients else None


def encode(observation: Observation) -> bytes:
    """A few hundred bytes for the log; `decode` reads them back."""
    terms = observation.terms[:TERM_LIMIT]
    answers = observation.answers[-ANSWER_LIMIT:]
    greeting = observation.greeting[:GREETING_LIMIT]
    names = observation.names[:NAME_LIMIT]
    people = (observation.to[:PEOPLE_LIMIT], observation.cc[:PEOPLE_LIMIT], observation.hidden[:PEOPLE_LIMIT])
    flags = (
        _REPLY * observation.is_reply | _FORWARD * observation.is_forward | _LIST * observation.through_list
    )
    texts = [
        observation.sender,
        *(one for some in people for one in some),
        *(one for pair in names for one in pair),
    ]
    return b"".join(
        (
            _HEAD.pack(VERSION, flags, observation.when, observation.message_id, observation.subject),
            _COUNTS.pack(*map(len, people), len(answers), len(greeting), len(terms), len(names)),
            struct.pack(f"<{len(answers)}Q{len(greeting)}I", *answers, *greeting),
            struct.pack(f"<{len(terms)}I", *(term for term, _ in terms)),
            bytes(min(weight, 255) for _, weight in terms),
            b"\x00".join(_written(text) for text in texts),
        )
    )


def _written(text: str) -> bytes:
    return text.replace("\x00", "").encode("utf-8", "surrogatepass")


def decode(data: bytes) -> Observation:
    """Read what `encode` wrote. Raises ValueError where it is of another version, or cut short."""
    try:
        return _decoded(data)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError("an observation in the log cannot be read: it is cut short or damaged") from error


def _decoded(data: bytes) -> Observation:
    version, flags, when, message_id, subject = _HEAD.unpack_from(data)
    if version != VERSION:
        raise ValueError(f"an observation in the log has version {version}; this mailguard reads {VERSION}")
    place = _HEAD.size
    to, cc, hidden, answers, greeting, terms, names = _COUNTS.unpack_from(data, place)
    place += _COUNTS.size
    numbers = struct.unpack_from(f"<{answers}Q{greeting + terms}I", data, place)
    place += 8 * answers + 4 * (greeting + terms)
    weights = data[place : place + terms]
    texts = [text.decode("utf-8", "surrogatepass") for text in data[place + terms :].split(b"\x00")]
    if len(texts) != 1 + to + cc + hidden + 2 * names or len(weights) != terms:
        raise ValueError("an observation in the log cannot be read: it is cut short or damaged")
    pairs = texts[1 + to + cc + hidden :]
    return Observation(
        when=when,
        sender=texts[0],
        to=tuple(texts[1 : 1 + to]),
        cc=tuple(texts[1 + to : 1 + to + cc]),
        hidden=tuple(texts[1 + to + cc : 1 + to + cc + hidden]),
        message_id=message_id,
        answers=numbers[:answers],
        subject=subject,
        is_reply=bool(flags & _REPLY),
        is_forward=bool(flags & _FORWARD),
        through_list=bool(flags & _LIST),
        greeting=numbers[answers : answers + greeting],
        terms=tuple(zip(numbers[answers + greeting :], weights, strict=True)),
        names=tuple(zip(pairs[::2], pairs[1::2], strict=True)),
    )


def without_all(observations: Iterable[Observation], address: str) -> Iterable[Observation]:
    """A log with a person taken out."""
    return (left for one in observations if (left := without(one, address)) is not None)

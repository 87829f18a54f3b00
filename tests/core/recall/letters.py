"""Letters for the tests of the memory: short to write, and in the order of time."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from mailguard.core.recall.digest import Reading, read
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.recall import Recall

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
ME = "anna.berg@corp.example"


def letter(
    to: str = "",
    text: str = "",
    *,
    sender: str = ME,
    subject: str = "",
    cc: str = "",
    day: float = 0,
    message_id: str = "",
    answers: Iterable[str] = (),
) -> Letter:
    """A letter; several addresses are separated by spaces."""
    return Letter(
        sender=sender,
        when=START + timedelta(days=day),
        to=tuple(to.split()),
        cc=tuple(cc.split()),
        subject=subject,
        text=text,
        message_id=message_id,
        answers=tuple(answers),
    )


def reading(one: Letter) -> Reading:
    """A letter, read with the tests' key."""
    return read(one, Digests(b"tests"))


def memory(*letters: Letter) -> Recall:
    """A memory of these letters."""
    recall = Recall()
    digests = Digests(b"tests")
    for one in letters:
        recall.observe(read(one, digests).observation)
    return recall

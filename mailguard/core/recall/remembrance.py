"""The memory with its discretion: what was sent to somebody blind is known to its sender's habits alone.

Recall keeps everybody whom a mail went to in one list; here is written down which of them were hidden, so
that nothing that is shown to anybody else ever names them.
"""

from collections.abc import Collection

from mailguard.core.recall.digest import Reading
from mailguard.core.recall.observation import Observation
from mailguard.core.recall.recall import Recall
from mailguard.core.recall.scene import Scene

_PIECE = 200
_NONE: frozenset[int] = frozenset()


class Remembrance:
    """One index, made from the log of Observations. One thread at a time; judging changes nothing."""

    __slots__ = ("_blind", "_by_list", "_unseen", "recall")

    def __init__(self) -> None:
        self.recall = Recall()
        # By mail: the recipients whom none of the others saw. Few mails have any.
        self._blind: dict[int, frozenset[int]] = {}
        # The mails that came by a mailing list: their headers do not name whom they reached.
        self._by_list: set[int] = set()
        # People who were never anything else.
        self._unseen: set[int] = set()

    def __len__(self) -> int:
        return len(self.recall)

    def mails(self, address: str) -> int:
        """How many mails of a sender are remembered (normal form)."""
        habits = self.recall.habits.get(self.recall.people.numbers.get(address, -1))
        return 0 if habits is None else len(habits.mails)

    def observe(self, observation: Observation) -> None:
        """A mail really went out, or came in. In the order of time, or nearly so."""
        recall = self.recall
        numbers = recall.people.numbers
        listed = {observation.sender, *observation.to, *observation.cc}
        hidden = [one for one in observation.hidden if one not in listed]
        new = [one for one in hidden if one not in numbers]
        recall.observe(observation)
        if observation.through_list:
            self._by_list.add(recall.first + len(recall) - 1)
        if hidden:
            self._blind[recall.first + len(recall) - 1] = frozenset(numbers[one] for one in hidden)
            self._unseen.update(numbers[one] for one in new)
        if self._unseen:
            self._unseen.difference_update(numbers[one] for one in listed)

    def scene(self, reading: Reading, internal: Collection[str]) -> Scene:
        """A mail to be judged; `internal` are our own domains."""
        return Scene(self.recall, reading, internal)

    def blind(self, mail: int) -> frozenset[int]:
        """The recipients of a mail whom only its sender knew of."""
        return self._blind.get(mail, _NONE)

    def through_list(self, mail: int) -> bool:
        """Whether a mail came by a mailing list."""
        return mail in self._by_list

    def named(self, mail: int) -> frozenset[int]:
        """Whom a mail went to in everybody's sight."""
        return frozenset(self.recall.group(mail)) - self.blind(mail)

    def seen(self, number: int) -> bool:
        """Whether this person is known to others than those who wrote to him blind."""
        return number >= 0 and number not in self._unseen

    def erase(self, address: str) -> None:
        """Forget a person. The caller takes him out of the log."""
        self.recall.erase(address)

    def dissolve(self) -> None:
        """Nobody asks it any more: take it apart in small pieces, so that other threads get their turn."""
        recall = self.recall
        held = [getattr(recall, name) for name in type(recall).__slots__]
        for index in (recall.people.known, recall.people.numbers, recall.people.alike, *held, self._blind):
            while isinstance(index, list | dict) and index:
                if isinstance(index, list):
                    del index[-_PIECE:]
                else:
                    for _ in range(min(_PIECE, len(index))):
                        index.popitem()

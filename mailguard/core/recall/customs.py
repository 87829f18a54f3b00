"""What is customary for a sender where a check would else speak of every other mail of his: on a public list
everybody writes to crowds of outsiders, and answers mail that names him nowhere."""

from collections.abc import Collection

from mailguard.core.recall.remembrance import Remembrance
from mailguard.core.recall.scene import Scene

# Of a sender's mails so many are looked at, the latest.
LATELY = 50


def crowds(memory: Remembrance, scene: Scene, over: int) -> int:
    """How many of the sender's latest mails showed more than `over` outsiders to one another; 0 where this
    one goes to fewer."""
    if not scene.habits.mails or sum(scene.outside.values()) <= over:
        return 0
    return sum(_shown(memory, scene, mail) > over for mail in scene.habits.mails[-LATELY:])


def _shown(memory: Remembrance, scene: Scene, mail: int) -> int:
    recall = memory.recall
    if len(recall.group(mail)) <= 1:
        return 0
    return sum(scene.is_outside(recall.people.known[number]) for number in memory.named(mail))


def unnamed(memory: Remembrance, scene: Scene, answered: Collection[int], mine: Collection[int]) -> int:
    """How many of the sender's latest mails answered, to more than its writer, a mail that went to one of
    those whom the one `answered` now went to, and that named none of his addresses (`mine`).

    One of them is a list then, or a mailbox that several people read.
    """
    found = 0
    for mail in scene.habits.mails[-LATELY:] if answered else ():
        parent = memory.recall.parent(mail)
        if not parent or memory.recall.sender(parent) in mine:
            continue
        named = memory.named(parent)
        if named.isdisjoint(mine) and not named.isdisjoint(answered):
            found += not named.isdisjoint(memory.named(mail))
    return found

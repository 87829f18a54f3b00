"""Asks the memory about one message: as much as its sender's mail is worth asking for."""

from collections.abc import Collection

from mailguard.core import address
from mailguard.core.policy import Policy
from mailguard.core.recall.digest import read
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.observation import Observation
from mailguard.core.recall.recollecting import Judge, recollect
from mailguard.core.recall.remembrance import Remembrance
from mailguard.core.recollection import Recollection
from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What is known, of which message, and how suspect its worst recipient is (None: nobody is)."""

    recollection: Recollection
    observation: Observation
    suspicion: float | None


def inquire(
    memory: Remembrance,
    judge: Judge | None,
    policy: Policy,
    letter: Letter,
    *,
    digests: Digests,
    meant: frozenset[tuple[str, str]],
    own: Collection[str],
    invited: Collection[str],
) -> Found:
    """What the memory knows of a message of somebody who said yes to what is `meant`, may send as these
    addresses and patterns (`own`), and with it invites these people. A few milliseconds at most."""
    mails = memory.mails(letter.sender)
    # The dearest part of all judging, and of a sender who is hardly known nobody asks for it.
    asked = policy.weighs_suspicion(mails)
    reading = read(letter, digests, words=asked, greets=mails > 0)
    internal = policy.own_domains
    scene = memory.scene(reading, internal)
    suspicions = judge.suspicion(scene) if asked and judge is not None else None
    recollection = recollect(
        memory,
        scene,
        suspicions=suspicions,
        meant=meant,
        own_addresses=_whole(own),
        internal=internal,
        invited=invited,
        crowd=policy.options.visible_over,
    )
    suspicion = max(one for one, _ in suspicions.values()) if suspicions else None
    return Found(recollection=recollection, observation=reading.observation, suspicion=suspicion)


def _whole(own: Collection[str]) -> list[str]:
    """Those of a login's addresses that are no patterns."""
    return [address.normal(one) for one in own if "*" not in one and address.parse(one).plain]

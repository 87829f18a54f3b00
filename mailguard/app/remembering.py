"""The judge's memory, joined: its log, its key and its model."""

from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.learnt import Learnt
from mailguard.core.recall.recollecting import Judge
from mailguard.edge import learned
from mailguard.edge.clock import SystemClock
from mailguard.edge.config import RulesFile, Settings
from mailguard.edge.secret import Secret
from mailguard.flow.learning import PURPOSE
from mailguard.flow.recalling import Recalling
from mailguard.ports import Log, Records


def digests_of(settings: Settings) -> Digests:
    """How this installation turns words into numbers. Raises StoreError where its key cannot be used."""
    return Digests(digest_key(settings))


def digest_key(settings: Settings) -> bytes:
    """The key of these numbers, for who reads mail in another process. Raises StoreError."""
    return Secret.open(settings.state_dir).derive(PURPOSE)


def recalling_of(
    settings: Settings,
    records: Records,
    rules: RulesFile,
    clock: SystemClock,
    log: Log,
    *,
    shared: bool = False,
) -> Recalling:
    """The memory on an open store, which may be `shared` with other guards. Raises StoreError where its key
    cannot be used."""
    return Recalling(
        records=records,
        policies=rules,
        clock=clock,
        log=log,
        digests=digests_of(settings),
        load_judge=_judge,
        shared=shared,
    )


def _judge() -> Judge:
    return Learnt(learned.load())

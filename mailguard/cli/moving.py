"""`mailguard migrate-store`: moves the queue of a stopped guard from SQLite into PostgreSQL."""

import asyncio
import sys
from pathlib import Path

from mailguard.cli.asking import faults_told
from mailguard.core.errors import StoreError
from mailguard.core.told import Told
from mailguard.edge import oplog, secret
from mailguard.edge.config import load_settings
from mailguard.edge.store import StateLock

Json = dict[str, object]


def migrate(config: Path | None, url: str) -> Json:
    """Move it; the answer has `moved` where it has arrived."""
    return faults_told(lambda: _migrate(config, url))


def _migrate(config: Path | None, url: str) -> Json:
    try:
        from mailguard.edge.store.postgres import moving  # noqa: PLC0415
    except ImportError as error:
        raise StoreError(
            f"PostgreSQL needs more than is installed ({error.name}); pip install 'mailguard[postgres]'"
        ) from error
    settings = load_settings(config)
    path = settings.database
    if path is None:
        text = "store.url names PostgreSQL already; set it back to the queue that is to be moved"
        return _answer(Told.REFUSED, text)
    if not path.exists():
        return _answer(Told.REFUSED, f"there is no queue at {path}; start the guard on the new store")
    with StateLock.take(settings.state_dir):
        asyncio.run(moving.prepare(url, oplog.configure(oplog.LogFormat(settings.log.format), "error")))
        key = secret.key_or_new(settings.state_dir)
        arrived = moving.move(path, url, key, going_on=_progress)
        secret.adopt(settings.state_dir, key, arrived.where)
    text = (
        f"{arrived.messages} messages, {arrived.unfinished} of them not finished, are in {arrived.where} now."
        " Set store.url to it, and start the guard"
    )
    shown = {
        "to": arrived.where,
        "messages": arrived.messages,
        "unfinished": arrived.unfinished,
        "bytes": arrived.size,
    }
    return {**_answer(Told.DONE, text), "moved": shown}


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done} of {of} messages" + ("\n" if done == of else ""))
        sys.stderr.flush()


def _answer(told: Told, text: str) -> Json:
    return {"told": told.value, "text": text}

"""The guard's one secret: a key file in the state directory; every purpose gets a key of its own from it."""

import contextlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Self

from mailguard.core.errors import StoreError

KEY_FILE = "secret.key"
LENGTH = 32


class Secret:
    """The key. It never leaves this object; `derive` does not tell anything of it."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def open(cls, state_dir: Path) -> Self:
        """The key of this state directory, made at the first start (mode 0600, on the disk on return).

        Raises StoreError where it cannot be read or made, or is no key.
        """
        path = state_dir / KEY_FILE
        try:
            if not path.exists():
                _make(path)
            key = path.read_bytes()
        except OSError as error:
            raise StoreError(
                f"cannot use {path}: {error.strerror}; the guard must be able to read it"
            ) from error
        if len(key) != LENGTH:
            raise StoreError(
                f"{path} is no key: it has {len(key)} bytes instead of {LENGTH}; restore it from a backup."
                " Once it is removed a new one is made, and what was learnt from earlier mail is of no use"
            )
        return cls(key)

    def derive(self, purpose: str) -> bytes:
        """32 bytes that only this key gives for this purpose (RFC 5869, the expand step)."""
        return hmac.digest(self._key, purpose.encode() + b"\x01", "sha256")

    def __repr__(self) -> str:
        return "Secret()"


def key_or_new(state_dir: Path) -> bytes:
    """The key of this state directory, for who shares it with other guards; where there is none yet, a new
    one, which is not kept. Raises StoreError."""
    path = state_dir / KEY_FILE
    try:
        return path.read_bytes() if path.exists() else secrets.token_bytes(LENGTH)
    except OSError as error:
        raise StoreError(f"cannot use {path}: {error.strerror}; the guard must be able to read it") from error


def adopt(state_dir: Path, key: bytes, owner: str) -> None:
    """Take over the key that the guards of `owner` share. Raises StoreError where this directory has another
    one."""
    path = state_dir / KEY_FILE
    try:
        if not path.exists():
            _make(path, key)
        known = path.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot use {path}: {error.strerror}; the guard must be able to read it") from error
    if known != key:
        raise StoreError(
            f"{path} is not the key of {owner}, which has one already; move the file away, and the guard"
            " takes over the one that is in the database"
        )


def _make(path: Path, key: bytes = b"") -> None:
    """Whole or not at all; of two that make one at the same time, the first one's stays."""
    made = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key or secrets.token_bytes(LENGTH))
            file.flush()
            _give_away(file.fileno(), path.parent)
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
    finally:
        made.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _give_away(descriptor: int, directory: Path) -> None:
    """The guard's user has to read what root makes before the first start."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)

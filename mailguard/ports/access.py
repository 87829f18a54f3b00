"""What the ways in by HTTP need of the world: who may log in, who is signed in, and who holds a token."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from mailguard.core.link import Link
from mailguard.core.value import dataclass
from mailguard.ports import Accounts


class Logins(Accounts, Protocol):
    """Accounts, as the page knows them."""

    async def any_login(self) -> bool:
        """Whether anybody can log in at all."""

    async def password_mark(self, login: str) -> str | None:
        """A text that changes with this login's password, and tells nothing of it; None where there is no
        such login."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Somebody who signed in to the page. `digest` is that of what the browser shows, `login` who it is (""
    is the admin of the machine), `mark` changes with the password; `seen` is the last look."""

    digest: bytes
    login: str
    mark: str
    began: datetime
    seen: datetime


class Sessions(Protocol):
    """Who is signed in. Any method may raise StoreError."""

    async def begin(self, session: Session) -> None:
        """Somebody signed in."""

    async def find(self, digest: bytes) -> Session | None:
        """The session of this digest, however old it is."""

    async def touch(self, digest: bytes, seen: datetime) -> None:
        """Somebody looked again."""

    async def end(self, digest: bytes) -> None:
        """Somebody signed out."""

    async def end_all(self, login: str) -> None:
        """Somebody signed out everywhere."""

    async def sweep(self, began_before: datetime, seen_before: datetime) -> None:
        """Remove those that began or were seen last before these times."""


class Scope(StrEnum):
    """What a token may be used for: to look, to look and decide, or for all that its owner may."""

    READ = "read"
    ACT = "act"
    ADMIN = "admin"


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A program's way in. `digest` is that of what it shows, `login` in whose name it acts ("" is the admin
    of the machine), `expires` None where it does not end by itself."""

    digest: bytes
    login: str
    name: str
    scope: Scope
    made: datetime
    expires: datetime | None = None
    used: datetime | None = None


class Tokens(Protocol):
    """Who holds a token. Any method may raise StoreError."""

    async def add(self, token: Token) -> bool:
        """A new one; False where its login has one of this name."""

    async def find(self, digest: bytes) -> Token | None:
        """The token of this digest, even where its time is over."""

    async def of(self, login: str | None) -> Sequence[Token]:
        """The tokens of this login (None: everybody's), by login and name."""

    async def used(self, digest: bytes, at: datetime) -> None:
        """Somebody showed it."""

    async def revoke(self, login: str, name: str) -> bool:
        """It is good for nothing from here on; False where there is none of this name."""


class LinkReader(Protocol):
    """Knows the links that our notices have."""

    def read(self, text: str) -> Link | None:
        """What this link is for; None where it is not one of ours, or not any more."""

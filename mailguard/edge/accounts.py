"""The users file: who may log in, and as whom each login may send.

One line a login, `login:hash[:address,address,...]`, so that a plain htpasswd file with bcrypt hashes is a
users file too. A broken line is told with its number and locks nobody else out.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mailguard.core import address
from mailguard.core.account import Account
from mailguard.core.errors import ConfigurationError, Fault, MailguardError
from mailguard.core.value import dataclass
from mailguard.ports import Clock, Log

# An argon2 check takes 64 MiB and a core for a moment; more than two at once would starve the mail.
THREADS = 2
# A client that logs in for every message is not slowed down for this long after a good password.
REMEMBERED = 60.0
MOST_REMEMBERED = 1000
# bcrypt never looked further; its library refuses what is longer.
BCRYPT_LIMIT = 72
LONGEST_PASSWORD = 1024

_LOGIN = re.compile(r"[^\s:#][^\s:]*")


class UnknownLogin(MailguardError):
    """The users file has no such login."""


class LoginExists(MailguardError):
    """The users file has this login already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """One line of the file."""

    account: Account
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Users:
    """What the file says: its good lines, and what is wrong with the others."""

    by_login: dict[str, User]
    faults: tuple[Fault, ...] = ()

    def members(self) -> dict[str, frozenset[str]]:
        """The logins that list an address as it is, by address; a pattern makes nobody a member."""
        found: dict[str, set[str]] = {}
        for login, user in self.by_login.items():
            for listed in user.account.addresses:
                if "*" not in listed and not listed.startswith("@"):
                    found.setdefault(listed, set()).add(login)
        return {listed: frozenset(logins) for listed, logins in found.items()}


def read_users(path: Path) -> Users:
    """The file as it is now; a missing one has no logins. Raises OSError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return Users(by_login={})
    by_login: dict[str, User] = {}
    faults: list[Fault] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        user, problem = _parsed(line)
        if user is None or user.account.login in by_login:
            problem = problem or "this login has a line already"
            expected = "login:hash or login:hash:address,address"
            faults.append(Fault(file=str(path), line=number, key="", problem=problem, expected=expected))
        else:
            by_login[user.account.login] = user
    return Users(by_login=by_login, faults=tuple(faults))


def _parsed(line: str) -> tuple[User | None, str]:
    login, _, rest = line.strip().partition(":")
    password_hash, _, addresses = rest.partition(":")
    if not _LOGIN.fullmatch(login):
        return None, "there is no login before the first colon"
    if not password_hash.startswith(("$argon2", "$2a$", "$2b$", "$2y$")):
        return None, f"the password of {login} is not hashed with argon2 or bcrypt"
    listed = tuple(one.strip() for one in addresses.split(",") if one.strip())
    if bad := [one for one in listed if not _is_pattern(one)]:
        return None, f"{bad[0]!r} is no address and no pattern of addresses"
    # Without addresses, a login that is an address may send as itself, and any other as nobody.
    own = listed or ((login,) if "@" in login else ())
    account = Account(login=login, addresses=tuple(address.normal(one) for one in own))
    return User(account=account, hash=password_hash), ""


def _is_pattern(text: str) -> bool:
    """`a@x`, `news-*@x` or `@x`: nothing else would ever fit a sender."""
    blank = any(char.isspace() or not char.isprintable() or char in ",:" for char in text)
    return "@" in text and not blank and bool(address.parse(text).domain)


class UsersFile:
    """ports.Accounts on the file, which is read again when it changes."""

    def __init__(self, path: Path, *, clock: Clock, log: Log) -> None:
        self._path = path
        self._clock = clock
        self._log = log
        self._users = Users(by_login={})
        self._members: dict[str, frozenset[str]] = {}
        self._seen: tuple[int, int, int] | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._key = secrets.token_bytes(32)
        self._good: dict[bytes, float] = {}

    async def authenticate(self, login: str, password: str) -> Account | None:
        """The account, or None where login or password is wrong; takes as long either way."""
        users = self._current().by_login
        user = users.get(login)
        if user is None or len(password) > LONGEST_PASSWORD:
            if decoy := self._decoy(users, login):
                await self._check(decoy, password[:LONGEST_PASSWORD])
            return None
        proof = self._proof(user, password)
        if self._good.get(proof, 0.0) > self._clock.monotonic():
            return user.account
        if not await self._check(user.hash, password):
            return None
        self._remember(proof)
        return user.account

    async def account(self, login: str) -> Account | None:
        """The account of this login, without a password."""
        user = self._current().by_login.get(login)
        return None if user is None else user.account

    async def members(self, mailbox: str) -> frozenset[str]:
        """The logins that list exactly this address."""
        self._current()
        return self._members.get(address.normal(mailbox), frozenset())

    async def any_login(self) -> bool:
        """Whether anybody can log in at all."""
        return bool(self._current().by_login)

    async def password_mark(self, login: str) -> str | None:
        """A text that changes with this login's password, and tells nothing of it."""
        user = self._current().by_login.get(login)
        if user is None:
            return None
        # The salted hash is in the file for good; a digest of it is the same after a restart.
        return hashlib.sha256(f"{login}\0{user.hash}".encode("utf-8", "surrogatepass")).hexdigest()

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _decoy(self, users: dict[str, User], login: str) -> str:
        # An unknown login is checked against somebody's hash, always the same, and fails whatever comes of
        # it: so it takes as long as a known one, however old or new the hashes of this file are.
        if not users:
            return ""
        number = int.from_bytes(hmac.digest(self._key, login.encode("utf-8", "surrogatepass"), "sha256"))
        return tuple(users.values())[number % len(users)].hash

    async def _check(self, password_hash: str, password: str) -> bool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, verify, password_hash, password)

    def _proof(self, user: User, password: str) -> bytes:
        # Of a good password only a keyed digest is kept, and the key dies with the process. The hash is part
        # of it, so a new password in the file ends the old one's validity at once.
        text = f"{user.account.login}\0{user.hash}\0{password}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, "sha256")

    def _remember(self, proof: bytes) -> None:
        if len(self._good) >= MOST_REMEMBERED:
            del self._good[next(iter(self._good))]
        self._good[proof] = self._clock.monotonic() + REMEMBERED

    def _current(self) -> Users:
        seen = self._stamp()
        if seen != self._seen:
            try:
                self._users = read_users(self._path)
            except OSError as error:
                # Better yesterday's logins than nobody's.
                self._log.trouble("users_not_read", file=str(self._path), reason=error.strerror)
                return self._users
            self._members = self._users.members()
            self._seen = seen
            for fault in self._users.faults:
                self._log.trouble("users_fault", fault=str(fault))
        return self._users

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            # Asked for each message; Path.stat takes twice as long.
            state = os.stat(self._path)  # noqa: PTH116
        except OSError:
            return None
        return state.st_mtime_ns, state.st_ino, state.st_size


def verify(password_hash: str, password: str) -> bool:
    """Whether the password has this hash (argon2 or bcrypt); a hash that makes no sense fits none."""
    secret = password.encode("utf-8", "surrogatepass")
    if password_hash.startswith("$argon2"):
        try:
            return PasswordHasher().verify(password_hash, secret)
        except (VerificationError, InvalidHashError, ValueError):
            return False
    try:
        return bcrypt.checkpw(secret[:BCRYPT_LIMIT], password_hash.encode())
    except ValueError:
        return False


def add_user(path: Path, login: str, password: str, addresses: Iterable[str]) -> None:
    """A new login at the end of the file. Raises LoginExists, ConfigurationError where login or an
    address could not stand in the file."""
    listed = tuple(addresses)
    _checked(path, login, password, listed)
    with _rewriting(path) as lines:
        if _find(lines, login) is not None:
            raise LoginExists(
                f"{login} is there already; give it a new password with: mailguard users passwd {login}"
            )
        lines.append(
            ":".join([login, PasswordHasher().hash(password), *([",".join(listed)] if listed else [])])
        )


def set_password(path: Path, login: str, password: str) -> None:
    """A new password for a login; its addresses stay. Raises UnknownLogin, ConfigurationError."""
    _checked(path, login, password, ())
    with _rewriting(path) as lines:
        number = _number(lines, login)
        addresses = lines[number].strip().split(":", 2)[2:]
        lines[number] = ":".join([login, PasswordHasher().hash(password), *addresses])


def remove_user(path: Path, login: str) -> None:
    """Take a login out of the file. Raises UnknownLogin."""
    with _rewriting(path) as lines:
        del lines[_number(lines, login)]


def _checked(path: Path, login: str, password: str, addresses: tuple[str, ...]) -> None:
    problem = ""
    if not _LOGIN.fullmatch(login):
        problem = f"{login!r} is no login; expected letters without space, colon or #"
    elif not password or len(password) > LONGEST_PASSWORD:
        problem = f"a password has between 1 and {LONGEST_PASSWORD} letters"
    else:
        bad = [one for one in addresses if not _is_pattern(one)]
        problem = f"{bad[0]!r} is no address; expected a@x, news-*@x or @x" if bad else ""
    if problem:
        fault = Fault(file=str(path), line=None, key=login, problem=problem, expected="")
        raise ConfigurationError((fault,))


def _find(lines: list[str], login: str) -> int | None:
    for number, line in enumerate(lines):
        if line.strip().partition(":")[0] == login:
            return number
    return None


def _number(lines: list[str], login: str) -> int:
    number = _find(lines, login)
    if number is None:
        raise UnknownLogin(f"there is no login {login}")
    return number


@contextlib.contextmanager
def _rewriting(path: Path) -> Iterator[list[str]]:
    """The file's lines, to be changed; written back whole or not at all. Nobody but its owner can read the
    new file, and its group where it could before. Two changes at once happen one after the other."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        old = path.stat() if path.exists() else None
        text = path.read_text(encoding="utf-8", errors="surrogateescape") if old else ""
        lines = text.removesuffix("\n").split("\n") if text else []
        yield lines
        _replace(path, "".join(f"{line}\n" for line in lines), old)
        # The new name must survive a loss of power, too.
        os.fsync(directory)
    finally:
        os.close(directory)


def _replace(path: Path, text: str, old: os.stat_result | None) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            file.flush()
            if old is not None:
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
                os.fchmod(file.fileno(), 0o600 | (old.st_mode & 0o040))
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise

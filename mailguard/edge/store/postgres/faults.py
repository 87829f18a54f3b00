"""What the errors of the database mean to a person, and which of them a second try may mend."""

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import PoolClosed, PoolTimeout

from mailguard.core.errors import MailguardError, StoreError, StoreFull

# The job is not at fault: the same one may go through at the next try.
_TRANSIENT = (
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.LockNotAvailable,
    errors.QueryCanceled,
)
# The connection is gone, or the server is going or coming up.
LOST = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    PoolTimeout,
    TimeoutError,
    OSError,
)
_NOT_ALLOWED = (
    errors.InsufficientPrivilege,
    errors.InvalidPassword,
    errors.InvalidAuthorizationSpecification,
)


def shown(url: str) -> str:
    """Where the database is, without any password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        return "the database of store.url"
    host = parts.get("host") or "localhost"
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"{host}{port}/{parts.get('dbname') or parts.get('user') or ''}"


def is_lost(error: BaseException) -> bool:
    """Whether the connection is at fault, and not what was asked."""
    return isinstance(error, LOST) and not isinstance(error, (*_TRANSIENT, errors.DiskFull))


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may go through at once."""
    return isinstance(error, _TRANSIENT)


def translated(error: Exception, where: str) -> Exception:
    """The error as a person should read it; every error is one of ours afterwards."""
    if isinstance(error, MailguardError):
        return error
    told = _told(error, where)
    told.__cause__ = error
    return told


def _told(error: Exception, where: str) -> StoreError:
    if isinstance(error, errors.DiskFull):
        return StoreFull(f"no room on the disk of the database {where}; make room there")
    if isinstance(error, PoolClosed):
        return StoreError(f"the store {where} is closed")
    if isinstance(error, PoolTimeout | TimeoutError):
        return StoreError(f"the database {where} did not answer in time; it is tried again by itself")
    if isinstance(error, _NOT_ALLOWED):
        return StoreError(f"the database {where} does not let mailguard in; check store.url and its grants")
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return StoreError(
            f"the database {where} is read-only: it is a standby; name the primary in store.url"
        )
    if is_lost(error):
        first = str(error).strip().partition("\n")[0]
        return StoreError(f"the database {where} cannot be reached ({first}); it is tried again by itself")
    return StoreError(f"{where}: the store could not do this ({type(error).__name__})")

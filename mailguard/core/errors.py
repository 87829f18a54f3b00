"""Every error that mailguard raises on purpose, in one drawn tree.

MailguardError
├── ConfigurationError      a file or value that an admin must mend (exit 2)
├── IllegalMove             a move that the table of states does not have; nothing changed
├── NoSuchMessage           no message has this id (exit 3)
├── AmbiguousId             the prefix fits several messages (exit 2)
├── StoreError              the store could not do it now; temporary (exit 75)
│   ├── StoreLocked         another guard has this store
│   └── StoreFull           no room for one more message
├── UnknownSchema           the database was written by a newer mailguard
├── FrontGone               the process that speaks SMTP has ended, and with it the guard (exit 1)
├── NotTold                 news that a target outside did not take
├── NotPlaced               a draft that a mailbox did not take
└── SyntaxRefused           an SMTP command whose argument is no valid path or parameter
"""

from mailguard.core.value import dataclass


class MailguardError(Exception):
    """The root of all errors that mailguard raises on purpose."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing wrong with a configuration file, told so that a person can mend it.

    `line` counts from 1; it is None where the fault is about the file as a whole or about an
    environment variable (then `file` is the variable's name).
    """

    file: str
    line: int | None
    key: str
    problem: str
    expected: str

    @property
    def place(self) -> str:
        """Where it is, without a word of what stands there."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}" if self.key else place

    def __str__(self) -> str:
        expected = f"; expected {self.expected}" if self.expected else ""
        return f"{self.place}: {self.problem}{expected}"


class ConfigurationError(MailguardError):
    """One or more faults in the configuration; nothing of it was applied."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class IllegalMove(MailguardError):
    """The table of moves has no such move from the message's state; nothing was changed."""


class NoSuchMessage(MailguardError):
    """No message has this id, or an id that starts like this."""


class AmbiguousId(MailguardError):
    """More than one message has an id that starts like this; more letters are needed."""


class StoreError(MailguardError):
    """The store could not do what was asked, now; trying again later may help."""


class StoreLocked(StoreError):
    """Another mailguard has this store open."""


class StoreFull(StoreError):
    """There is no room on the disk for one more message."""


class FrontGone(MailguardError):
    """The process that speaks SMTP has ended, and with it the guard."""


class UnknownSchema(MailguardError):
    """The database was written by a newer mailguard than this one."""


class SyntaxRefused(MailguardError):
    """An SMTP argument that is not valid; `code` and `status` are the reply it earns."""

    def __init__(self, code: int, status: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.status = status
        self.text = text


class NotTold(MailguardError):
    """News that could not be told outside. The text has no secret of the target's in it; `final` where trying
    again is of no use."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


class NotPlaced(MailguardError):
    """A draft that could not be put into a mailbox; the text tells a person why."""

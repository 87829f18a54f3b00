"""The checks, in the order in which they run.

A check is a function from what is known of a message to what is odd about it. What a finding does is the
policy's decision. A new check is one file here, one line in CHECKS, one test file and one line of docs.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mailguard.core.checks.forgotten_attachment import forgotten_attachment
from mailguard.core.checks.stranger_in_thread import stranger_in_thread
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding
from mailguard.core.hold import Action

if TYPE_CHECKING:
    # The policy asks the checks what they read, so it is imported for its name only.
    from mailguard.core.policy import Policy

# The finding of a message that could not be read; no check, and so not the policy's to switch off.
UNREADABLE = "unreadable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """`action` and `delay` are what its findings do where rules.toml does not say."""

    code: str
    run: Callable[[Facts, "Policy"], tuple[Finding, ...]]
    reads_body: bool
    action: Action = Action.DELAY
    delay: timedelta = timedelta(minutes=10)


CHECKS = (
    Check(
        code="stranger_in_thread",
        run=stranger_in_thread,
        reads_body=False,
        delay=timedelta(minutes=15),
    ),
    Check(code="forgotten_attachment", run=forgotten_attachment, reads_body=True),
)


def reads_body(enabled: Container[str]) -> bool:
    """Whether one of the checks with these codes looks at the inside of a message."""
    return any(check.reads_body and check.code in enabled for check in CHECKS)

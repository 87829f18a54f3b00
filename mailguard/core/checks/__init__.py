"""The checks, in the order in which they run.

A check is a function from what is known of a message to what is odd about it. What a finding does is the
policy's decision. A new check is one file here, one line in CHECKS, one test file and one line of docs.
"""

from collections.abc import Callable, Container
from datetime import timedelta
from typing import TYPE_CHECKING

from mailguard.core.checks.attachment_name_mismatch import attachment_name_mismatch
from mailguard.core.checks.confidential_marking import confidential_marking
from mailguard.core.checks.display_name_deceives import display_name_deceives
from mailguard.core.checks.first_contact import first_contact
from mailguard.core.checks.forgotten_attachment import forgotten_attachment
from mailguard.core.checks.greeting_mismatch import greeting_mismatch
from mailguard.core.checks.invited_outsiders import invited_outsiders
from mailguard.core.checks.lookalike_address import lookalike_address
from mailguard.core.checks.lookalike_domain import lookalike_domain
from mailguard.core.checks.many_visible_externals import many_visible_externals
from mailguard.core.checks.missing_recipient import missing_recipient
from mailguard.core.checks.new_domain_in_thread import new_domain_in_thread
from mailguard.core.checks.personal_webmail import personal_webmail
from mailguard.core.checks.quoted_history_to_stranger import quoted_history_to_stranger
from mailguard.core.checks.reply_all_outsiders import reply_all_outsiders
from mailguard.core.checks.sender_mismatch import sender_mismatch
from mailguard.core.checks.sender_not_own import sender_not_own
from mailguard.core.checks.stranger_in_thread import stranger_in_thread
from mailguard.core.checks.unlikely_recipient import unlikely_recipient
from mailguard.core.checks.was_bcc_reply_all import was_bcc_reply_all
from mailguard.core.checks.wrong_namesake import wrong_namesake
from mailguard.core.checks.wrong_sender_identity import wrong_sender_identity
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding
from mailguard.core.hold import Action
from mailguard.core.value import dataclass

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


_NOW = timedelta(0)
_LONGER = timedelta(minutes=15)

# First who is wrong, then what he would get, then how it is sent. What speaks in clean mail now and then is
# only noted: whoever is warned too often does not read warnings any more (docs/detection.md has the figures).
CHECKS = (
    Check(code="stranger_in_thread", run=stranger_in_thread, reads_body=False, delay=_LONGER),
    Check(code="new_domain_in_thread", run=new_domain_in_thread, reads_body=False, delay=_LONGER),
    Check(code="reply_all_outsiders", run=reply_all_outsiders, reads_body=False, delay=_LONGER),
    Check(code="unlikely_recipient", run=unlikely_recipient, reads_body=False),
    Check(code="wrong_namesake", run=wrong_namesake, reads_body=False, action=Action.NONE, delay=_NOW),
    Check(code="missing_recipient", run=missing_recipient, reads_body=False, action=Action.NONE, delay=_NOW),
    Check(code="first_contact", run=first_contact, reads_body=False, action=Action.NONE, delay=_NOW),
    Check(code="lookalike_domain", run=lookalike_domain, reads_body=False, action=Action.CONFIRM, delay=_NOW),
    Check(code="lookalike_address", run=lookalike_address, reads_body=False),
    Check(code="personal_webmail", run=personal_webmail, reads_body=False, action=Action.NONE, delay=_NOW),
    Check(code="greeting_mismatch", run=greeting_mismatch, reads_body=True),
    Check(
        code="quoted_history_to_stranger",
        run=quoted_history_to_stranger,
        reads_body=True,
        action=Action.NONE,
        delay=_NOW,
    ),
    Check(code="invited_outsiders", run=invited_outsiders, reads_body=True),
    Check(code="was_bcc_reply_all", run=was_bcc_reply_all, reads_body=False),
    Check(code="many_visible_externals", run=many_visible_externals, reads_body=False),
    Check(code="confidential_marking", run=confidential_marking, reads_body=True),
    Check(code="attachment_name_mismatch", run=attachment_name_mismatch, reads_body=True),
    Check(code="forgotten_attachment", run=forgotten_attachment, reads_body=True),
    Check(
        code="wrong_sender_identity",
        run=wrong_sender_identity,
        reads_body=False,
        action=Action.NONE,
        delay=_NOW,
    ),
    Check(code="display_name_deceives", run=display_name_deceives, reads_body=False),
    Check(code="sender_not_own", run=sender_not_own, reads_body=False, action=Action.CONFIRM, delay=_NOW),
    Check(code="sender_mismatch", run=sender_mismatch, reads_body=False, action=Action.NONE, delay=_NOW),
)


def reads_body(enabled: Container[str]) -> bool:
    """Whether one of the checks with these codes looks at the inside of a message."""
    return any(check.reads_body and check.code in enabled for check in CHECKS)

"""What the header says of the sender against the envelope."""

import pytest

from mailguard.core.checks.sender_mismatch import sender_mismatch
from mailguard.core.facts import Headers
from mailguard.core.findings import Severity
from mailguard.core.policy import Policy
from tests.facts import facts


def found(*from_: str, envelope: str = "a@corp.example", own: tuple[str, ...] | None = None) -> list[str]:
    """Who it says it is from, where the envelope does not."""
    known = facts(sender=envelope, headers=Headers(from_=from_), own=own)
    findings = sender_mismatch(known, Policy())
    assert {finding.severity for finding in findings} <= {Severity.NOTE}
    return [finding.parameters["address"] for finding in findings]


@pytest.mark.parametrize("written", ["a@corp.example", "A@CORP.example", "a+lists@corp.example"])
def test_the_same_mailbox_is_quiet(written: str) -> None:
    assert found(written) == []
    assert found("a@corp.example", envelope=written) == []


def test_another_one_is_found() -> None:
    assert found("boss@corp.example") == ["boss@corp.example"]
    assert found("a@corp.example", "boss@corp.example") == ["boss@corp.example"]
    assert found("a%corp.example") == ["a%corp.example"]


def test_nobody_is_found_with_and_without_a_login() -> None:
    assert found() == ["<>"]
    assert found(own=("a@corp.example",)) == ["<>"]


def test_of_a_login_and_of_the_null_sender_nothing_more() -> None:
    assert found("other@corp.example", own=("@corp.example",)) == []
    assert found("a@corp.example", envelope="") == []

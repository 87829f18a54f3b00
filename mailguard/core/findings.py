"""What a check noticed, as data. The sentence for a person is made in core/wording.py."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from mailguard.core.value import dataclass


class Severity(StrEnum):
    """How much a finding weighs for a reader; what it does is the policy's decision."""

    NOTE = "note"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`check` is the code of the check; `recipient` is the address it is about, or None for the
    message as a whole; `parameters` fill the sentence."""

    check: str
    severity: Severity = Severity.WARNING
    recipient: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)

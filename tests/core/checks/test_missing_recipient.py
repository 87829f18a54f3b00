from mailguard.core.checks.missing_recipient import missing_recipient
from mailguard.core.findings import Severity
from mailguard.core.policy import Policy
from mailguard.core.recollection import Companion
from mailguard.core.wording import sentence
from tests.facts import facts, recalled


def found(together: int, of: int) -> list[str]:
    companion = Companion(address="c@corp.example", together=together, of=of)
    known = facts(recollection=recalled(missing=(companion,)))
    return [sentence(one, "en") for one in missing_recipient(known, Policy())]


def test_the_usual_companion_is_left_out() -> None:
    (said,) = found(9, 10)
    assert "c@corp.example" in said and "9" in said and "10" in said


def test_it_is_a_note() -> None:
    companion = Companion(address="c@corp.example", together=6, of=6)
    (one,) = missing_recipient(facts(recollection=recalled(missing=(companion,))), Policy())
    assert one.severity is Severity.NOTE
    assert one.recipient is None


def test_not_where_it_is_no_habit() -> None:
    assert found(8, 10) == []
    assert found(5, 5) == []

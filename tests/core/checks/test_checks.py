from mailguard.core.checks import CHECKS, reads_body
from mailguard.core.policy import Policy
from tests.facts import facts


def test_codes_are_unique_and_findings_carry_them() -> None:
    codes = [check.code for check in CHECKS]
    assert len(set(codes)) == len(codes)


def test_nothing_is_odd_about_a_plain_message() -> None:
    assert [check.run(facts(), Policy()) for check in CHECKS] == [()] * len(CHECKS)


def test_only_enabled_checks_need_the_body() -> None:
    assert reads_body(["forgotten_attachment"])
    assert not reads_body(["stranger_in_thread"])
    assert not reads_body([])

"""Faults read as a person needs them."""

from mailguard.core.errors import ConfigurationError, Fault


def test_a_fault_names_file_line_key_and_what_was_expected() -> None:
    fault = Fault(file="rules.toml", line=7, key="rule.delay", problem="'5x' is no duration", expected="5m")
    assert str(fault) == "rules.toml:7: rule.delay: '5x' is no duration; expected 5m"


def test_all_faults_are_told_at_once() -> None:
    fault = Fault(file="a.toml", line=None, key="", problem="cannot be read", expected="")
    assert str(ConfigurationError((fault, fault))) == "a.toml: cannot be read\na.toml: cannot be read"

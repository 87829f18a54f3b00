import pytest
from pydantic import ValidationError

from mailguard.core.checks import CHECKS
from mailguard.edge.config import parse_rules
from mailguard.edge.config.rules_model import ChecksTable, RulesDocument


def test_every_check_has_its_key() -> None:
    assert set(ChecksTable.model_fields) == {check.code for check in CHECKS}


def test_one_value_and_a_list_of_one_are_the_same() -> None:
    rule = '[[rule]]\nname = "a"\nwhen = {{ to = {0}, subject = {1} }}\ndelay = "1m"\n'
    one, several = rule.format('"@a.example"', '"x"'), rule.format('["@a.example"]', '["x"]')
    assert parse_rules(one, "x") == parse_rules(several, "x")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 61])
def test_a_name_must_fit_an_smtp_reply(name: str) -> None:
    with pytest.raises(ValidationError, match="is no name"):
        RulesDocument.model_validate({"rule": [{"name": name, "delay": "1m"}]})


@pytest.mark.parametrize("text", ["two\nlines", "é", "x" * 401])
def test_a_text_must_fit_an_smtp_reply(text: str) -> None:
    with pytest.raises(ValidationError, match="is no text for an SMTP reply"):
        RulesDocument.model_validate({"rule": [{"name": "a", "action": "refuse", "text": text}]})


@pytest.mark.parametrize(
    "address", ["a@corp.local", "a@host.test", "a@localhost", "a.b..c@docomo.example", "é@corp.example"]
)
def test_an_address_that_works_somewhere_is_never_refused(address: str) -> None:
    """A library that validates addresses refuses most of these; here they are only compared."""
    RulesDocument.model_validate({"rule": [{"name": "a", "action": "approve", "approvers": [address]}]})
    RulesDocument.model_validate({"groups": {"g": [address]}, "internal_domains": [address.split("@")[1]]})

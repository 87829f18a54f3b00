"""Names that show another address than the real one."""

import pytest

from mailguard.core.checks.display_name_deceives import display_name_deceives
from mailguard.core.message import read_headers
from mailguard.core.policy import Policy
from tests.facts import facts

REAL = "b@client.example"


def found(value: str, name: str = "To") -> list[str]:
    """The addresses whose names deceive, of one header field."""
    headers = read_headers(f"{name}: {value}\r\n\r\n".encode())
    findings = display_name_deceives(facts(headers=headers), Policy())
    for finding in findings:
        assert "".join(finding.parameters.values()).isprintable()
    return [finding.parameters["address"] for finding in findings]


@pytest.mark.parametrize(
    "value",
    [
        f'"boss@corp.example" <{REAL}>',
        f"boss@corp.example <{REAL}>",
        f"<{REAL}> (boss@corp.example)",
        f"{REAL} (boss@corp.example)",
        f'"Boss <boss@corp.example>" <{REAL}>',
        f'"boss\\@corp.example" <{REAL}>',
        f"=?utf-8?q?boss=40corp.example?= <{REAL}>",
        f"=?utf-8?b?Ym9zc0Bjb3JwLmV4YW1wbGU=?= <{REAL}>",
        f'"=?utf-8?q?boss=40corp.example?=" <{REAL}>',
        f"boss\uff20corp.example <{REAL}>",
        f"boss@corp.example: {REAL};",
        f"anna@old.example, anna@new.example <{REAL}>",
        # What nobody sees: NUL, a line end, an escape, the direction of writing, no width.
        f"=?utf-8?q?boss=00?= <{REAL}>",
        f"=?utf-8?q?boss=0D=0ABcc=3A_x?= <{REAL}>",
        f"=?utf-8?q?=1B[2J?= <{REAL}>",
        f"elpmaxe.proc\u202e <{REAL}>",
        f"bo\u200bss <{REAL}>",
    ],
)
def test_a_name_that_deceives_is_found(value: str) -> None:
    for name in ("From", "Sender", "To", "Cc", "Reply-To"):
        assert found(value, name)[-1:] == [REAL]


@pytest.mark.parametrize(
    "value", ["=?utf-8?q?boss=40corp.example?=@client.example", "b\u200b@client.example"]
)
def test_an_address_that_is_not_what_it_seems_is_found(value: str) -> None:
    assert len(found(value)) == 1


@pytest.mark.parametrize(
    "value",
    [
        REAL,
        f"Bob <{REAL}>",
        f'"{REAL}" <{REAL}>',
        f"'B@CLIENT.example' <{REAL}>",
        f"{REAL} ({REAL})",
        f"=?utf-8?q?J=C3=A9r=C3=B4me?= <{REAL}>",
        f"Jérôme <{REAL}>, 日本 <c@client.example>",
        f"C@fé Noir <{REAL}>",
        f"Bob @work <{REAL}>",
        f"Friends: {REAL}, c@client.example;",
        "undisclosed-recipients:;",
        f"\U0001f468\u200d\U0001f469 <{REAL}>",
        f"Bob\t <{REAL}>",
    ],
)
def test_an_ordinary_name_is_quiet(value: str) -> None:
    assert found(value) == []


def test_each_address_is_found_once_and_in_order() -> None:
    value = ", ".join(f'"x@y.example" <{name}@client.example>' for name in "cabac")
    assert found(value) == ["c@client.example", "a@client.example", "b@client.example"]

"""Normal forms: two spellings of one address are equal, and what hides a route is never plain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.address import ascii_domain, normal, parse


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bob@Client.Example", "bob@client.example"),
        ("bob@bücher.example", "bob@xn--bcher-kva.example"),
        ("bob@BÜCHER.example", "bob@xn--bcher-kva.example"),
        ("bob@client\u3002example", "bob@client.example"),
        ("bob@client.example.", "bob@client.example"),
        ("e\u0301va@x.example", "\u00e9va@x.example"),
        ('"bob"@client.example', "bob@client.example"),
    ],
)
def test_spellings_of_one_address_are_equal(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    "text",
    [
        "bob",
        "",
        "@corp.example",
        "bob@",
        "bob%evil.example@corp.example",
        "evil.example!bob@corp.example",
        '"bob@evil.example"@corp.example',
        "bob@corp..example",
        "bob@corp example",
        "<bob@corp.example>",
        "bob@[]",
    ],
)
def test_what_has_no_clear_destination_is_not_plain(text: str) -> None:
    assert not parse(text).plain


@pytest.mark.parametrize(
    "text", ["bob@corp.example", "bob@localhost", "bob@[192.0.2.1]", "o'neil+x@corp.local"]
)
def test_ordinary_addresses_are_plain(text: str) -> None:
    assert parse(text).plain


def test_homographs_stay_different() -> None:
    assert ascii_domain("\u0435xample.org") != ascii_domain("example.org")


@given(st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    parsed = parse(text)
    assert normal(str(parsed)) == normal(text) or not parsed.plain

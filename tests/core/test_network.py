"""Two spellings of one machine, and by what it is counted."""

import pytest

from mailguard.core.network import counted_by, plain


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_by_what_a_client_is_counted(text: str, counted: str) -> None:
    assert counted_by(plain(text)) == counted


def test_what_is_no_address() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        plain("guard.example")

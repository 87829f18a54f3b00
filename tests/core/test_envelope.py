"""The envelope's values cannot be changed behind the judge's back."""

import dataclasses

import pytest

from mailguard.core.envelope import Envelope, MailParameters, Recipient


def test_an_envelope_is_a_value() -> None:
    one = Envelope(sender="a@x.example", recipients=(Recipient(address="B@y.example"),))
    assert one == Envelope(sender="a@x.example", recipients=(Recipient(address="B@y.example"),))
    assert one.parameters == MailParameters()
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.sender = "c@x.example"  # type: ignore[misc]


def test_nothing_is_folded_or_unquoted() -> None:
    address = '"John Doe"@Bücher.Example'
    assert Recipient(address=address).address == address

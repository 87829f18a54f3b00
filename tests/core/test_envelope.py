"""The envelope is as the client gave it."""

from mailguard.core.envelope import Envelope, MailParameters, Recipient
from mailguard.core.value import replace


def test_an_envelope_is_a_value() -> None:
    one = Envelope(sender="a@x.example", recipients=(Recipient(address="B@y.example"),))
    assert one == Envelope(sender="a@x.example", recipients=(Recipient(address="B@y.example"),))
    assert one.parameters == MailParameters()
    assert replace(one, sender="c@x.example") != one and one.sender == "a@x.example"


def test_nothing_is_folded_or_unquoted() -> None:
    address = '"John Doe"@Bücher.Example'
    assert Recipient(address=address).address == address

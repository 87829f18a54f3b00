"""What must hold for any bytes at all that come as a path or as parameters."""

import re
from datetime import timedelta

from hypothesis import assume, example, given
from hypothesis import strategies as st

from mailguard.core.errors import SyntaxRefused
from mailguard.core.smtp_syntax import LONGEST_HOLD
from tests.core.test_smtp_syntax import GOOD, OTHER_SCRIPTS, mail, rcpt
from tests.making import NOW

# Pieces that take a parser apart, in any order, and any bytes between them.
PIECES = st.one_of(
    st.sampled_from(
        rb'< > @ a b.example . " \ , : ( ) [ ] % ! =?utf-8?q? ?= IPv6: ::1 127.0.0.1 SIZE=1 SMTPUTF8'.split()
    ),
    st.sampled_from([b" ", b"\r", b"\n", b"\x00", b"\t", "ü".encode(), "\u3002".encode(), b"\xff"]),
)
NOISE = st.one_of(
    st.lists(PIECES, max_size=14).map(b"".join), st.binary(max_size=40), st.text(max_size=20).map(str.encode)
)


@given(NOISE)
@example(b"a@b.example> SIZE=1 <c@d.example")
def test_whatever_comes_it_is_taken_byte_for_byte_or_refused(noise: bytes) -> None:
    """An address that was taken is, put on the wire again, the bytes that came in, and nothing else is."""
    try:
        sender, _ = mail(b"FROM:<" + noise + b"> SMTPUTF8")
    except SyntaxRefused as refused:
        assert refused.code in (501, 553, 555)
        return
    wire = b"<" + sender.encode("utf-8") + b">"
    assert (b"<" + noise + b"> SMTPUTF8").startswith(wire)
    assert not re.search(rb"[\x00-\x1f\x7f]", wire)
    assert mail(b"FROM:" + wire + b" SMTPUTF8")[0] == sender


@given(NOISE)
@example(b"a@b.example> SIZE=1")
@example(b"a" * 64 + b"@" + b"b" * 63 + (b"." + b"b" * 63) * 2)
def test_the_short_way_for_usual_paths_ends_where_the_long_way_does(noise: bytes) -> None:
    """A space after the colon leads the long way."""
    outcomes = []
    for colon in (b"FROM:<", b"FROM: <"):
        try:
            outcomes.append(repr(mail(colon + noise + b">")))
        except SyntaxRefused as refused:
            outcomes.append(refused.text)
    assert outcomes[0] == outcomes[1]


@given(st.sampled_from(GOOD + OTHER_SCRIPTS), NOISE)
def test_nothing_can_hide_behind_a_good_address(address: str, noise: bytes) -> None:
    try:
        recipient = rcpt(f"TO:<{address}>".encode() + noise)
    except SyntaxRefused:
        return
    assert recipient.address == address
    assert not noise.strip(b" ") or noise.startswith(b" ")
    assume(noise.strip(b" "))
    assert recipient.notify or recipient.orcpt


@given(st.timedeltas(timedelta(days=-9999), timedelta(days=9999)), st.integers(0, 10**9 - 1))
def test_a_wish_is_never_further_off_than_the_limit(away: timedelta, seconds: int) -> None:
    for wish in (f"HOLDUNTIL={NOW + away:%Y-%m-%dT%H:%M:%SZ}", f"HOLDFOR={seconds}"):
        try:
            until = mail(f"FROM:<a@b.example> {wish}")[1].hold_until
        except SyntaxRefused:
            continue
        assert until is None or NOW < until <= NOW + LONGEST_HOLD

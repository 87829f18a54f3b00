"""The bytes are the sender's: behind one Received field leaves what came in, and a signature still holds.

tests/test_app.py sends every odd message through a restart."""

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.guard import Guard
from tests.odd_mail import ODD_MAIL, without_bcc
from tests.promises.talking import ask, hand_in
from tests.sink import Sink

BODY = (
    b"From: alice@corp.example\r\nTo: b@signed.example\r\nSubject: signed  twice\r\n"
    b"X-Odd:\r\n\tfolded \r\n\r\nA line \r\n.\r\n..dots\r\n \r\n\xfc\xff 8 bits\r\n\r\n\r\n"
)


def test_a_signature_made_before_verifies_after(guard: Guard, sink: Sink) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])
    # Simple canonicalization forgives nothing: not a blank, not the case of a letter.
    signature = dkim.sign(BODY, b"s", b"corp.example", pem, canonicalize=(b"simple", b"simple"))
    hand_in(guard, signature + BODY, "b@now.example")
    delivery = sink.wait(lambda delivery: b"signed  twice" in delivery.content)
    assert dkim.verify(delivery.content, dnsfunc=lambda *_, **__: record)


def test_what_leaves_is_what_came_in_behind_one_received_line(guard: Guard, sink: Sink) -> None:
    for number, content in enumerate(ODD_MAIL):
        promise = hand_in(guard, content, f"odd{number}@now.example")
        # What nobody can read waits for a look; then it leaves as it is.
        assert ask(guard, "confirm", promise.id)["told"] in ("done", "already")
        delivery = sink.wait(lambda one, n=number: f"odd{n}@now.example" in one.recipients)  # type: ignore[misc]
        kept = without_bcc(content)
        assert delivery.content.endswith(kept)
        ours = delivery.content[: len(delivery.content) - len(kept)]
        assert ours.startswith(b"Received: from ")
        # One field: every line but its first goes on with white space.
        assert all(line.startswith(b"\t") for line in ours.splitlines()[1:])

"""What the rules judge is what leaves: the paths of a real client, compared at a real server."""

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.guard import Guard
from tests.hostile.talk import Talk
from tests.sink import Sink

COUNT = itertools.count()

# Everything that one reader or another has taken for something else than what it is.
ODD = [
    b"a@b.example",
    b"A@B.EXAMPLE",
    b'"a"@b.example',
    b'"a@evil.example"@b.example',
    b'"a b"@b.example',
    b'"a\\"b"@b.example',
    b'"a\\\\"@b.example',
    b'""@b.example',
    b"a%evil.example@b.example",
    b"evil.example!a@b.example",
    b"a+b@b.example",
    b"a/b=c@b.example",
    b"!#$%&'*+/=?^_`{|}~-@b.example",
    b"a@[127.0.0.1]",
    b"a@[IPv6:::1]",
    b"a@[IPv6:2001:db8::1]",
    b"a@[ipv6:2001:db8::1]",
    b"a@[127.0.0.1",
    b"a@[x-tag:y]",
    b"a@xn--bcher-kva.example",
    b"a@b_c.example",
    b"a@localhost",
    b"a@b.example.",
    b"a@.b.example",
    b"a@b..example",
    b"a@-b.example",
    b".a@b.example",
    b"a.@b.example",
    b"a..b@b.example",
    b"a@b.example>",
    b"a@b.example> <evil@x.example",
    b"a@b.example>,<evil@x.example",
    b"a@b.example>\rRCPT TO:<evil@x.example",
    b"<a@b.example>",
    b"a@b.example,evil@x.example",
    b"a@b@x.example",
    b"a(evil)@b.example",
    b"a@b.example(evil)",
    b"(evil)a@b.example",
    b"@evil.example:a@b.example",
    b"@evil.example,@evil2.example:a@b.example",
    b"=?utf-8?q?a=40evil.example?=@b.example",
    b"=?utf-8?b?ZXZpbEB4LmV4YW1wbGU=?=@b.example",
    b"=?utf-8?q?c=3e=0d=0aRCPT_TO:=3cevil=40x.example?=@b.example",
    b'"=?utf-8?q?x?="@b.example',
    b"a=?x?=b@b.example",
    b"a\\@evil.example@b.example",
    b"a\\,b@b.example",
    b"a b@b.example",
    b" a@b.example",
    b"a@b.example ",
    b"a@ b.example",
    b"a\t@b.example",
    b"a\x00@b.example",
    b"a\x7f@b.example",
    b"a\x1b[31m@b.example",
    b"\xff@b.example",
    b"\xc0\xafa@b.example",
    "é@b.example".encode(),
    "a@é.example".encode(),
    "a@b\u3002example".encode(),
    "a\u202e@b.example".encode(),
    "a@\uff42.example".encode(),
    "a\u2028b@b.example".encode(),
    b"Postmaster",
    b"",
    b"a" * 64 + b"@b.example",
    b"a" * 65 + b"@b.example",
    b"a@" + b"b" * 63 + b".example",
    b"a@" + b"b" * 64 + b".example",
]

PIECES = st.one_of(st.sampled_from(ODD), st.sampled_from([bytes([one]) for one in range(256)]))
MADE_UP = st.one_of(
    st.sampled_from(ODD),
    st.lists(PIECES, min_size=1, max_size=4).map(b"".join),
    st.tuples(st.binary(max_size=6), st.sampled_from(ODD), st.binary(max_size=6)).map(b"".join),
    st.tuples(st.sampled_from(ODD), st.sampled_from(ODD)).map(
        lambda two: two[0].rpartition(b"@")[0] + b"@" + two[1].rpartition(b"@")[2]
    ),
).map(lambda one: one.replace(b"\n", b""))


def delivered(talk: Talk, sink: Sink, paths: list[bytes]) -> tuple[list[bytes], tuple[str, ...]]:
    """One message to all of these; those that were taken, and those that it left for."""
    mark = f"envelope-{next(COUNT)}"
    assert talk.code(b"MAIL FROM:<> SMTPUTF8") == 250
    taken = []
    for path in paths:
        reply = talk.ask(b"RCPT TO:<" + path + b">")
        assert reply[:3] in (b"250", b"500", b"501", b"553", b"555"), reply
        if reply.startswith(b"250"):
            taken.append(path)
    if not taken:
        assert talk.code(b"RSET") == 250
        return [], ()
    assert talk.code(b"DATA") == 354
    told = talk.ask(f"Subject: {mark}\r\n\r\n.".encode())
    assert told.startswith(b"250 2.0.0 Queued as "), (told, taken)
    left = sink.wait(lambda delivery: f"Subject: {mark}\r\n".encode() in delivery.content)
    return taken, left.recipients


def test_every_odd_address_is_refused_or_leaves_as_it_came(guard: Guard, sink: Sink) -> None:
    for half in (ODD[: len(ODD) // 2], ODD[len(ODD) // 2 :]):
        with Talk(guard) as talk:
            taken, left = delivered(talk, sink, half)
        assert [path.decode() for path in taken] == list(left)
        # None of these is taken for what it could be mistaken for.
        assert not any(b"evil" in path.rpartition(b"@")[2] for path in taken)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths=st.lists(MADE_UP, min_size=1, max_size=20, unique=True))
def test_whatever_is_taken_leaves_byte_for_byte(guard: Guard, sink: Sink, paths: list[bytes]) -> None:
    with Talk(guard) as talk:
        taken, left = delivered(talk, sink, paths)
        assert [path.decode() for path in taken] == list(left)


def test_the_sender_leaves_byte_for_byte(guard: Guard, sink: Sink) -> None:
    taken = 0
    for path in ODD:
        with Talk(guard) as talk:
            if talk.code(b"MAIL FROM:<" + path + b"> SMTPUTF8") != 250:
                continue
            taken += 1
            mark = f"sender-{next(COUNT)}"
            assert talk.codes(b"RCPT TO:<a@b.example>", b"DATA") == [250, 354]
            assert talk.code(f"Subject: {mark}\r\n\r\n.".encode()) == 250
            wanted = f"Subject: {mark}\r\n".encode()
            assert sink.wait(lambda delivery: wanted in delivery.content).sender == path.decode()  # noqa: B023
    assert taken > 15


def test_a_second_command_in_an_address_is_never_carried_out(guard: Guard, sink: Sink) -> None:
    with Talk(guard) as talk:
        assert talk.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>") == [250, 250]
        assert talk.code(b"RCPT TO:<x\rRCPT TO:<evil@x.example>") == 500
        assert talk.codes(b"RCPT TO:<y", b"DATA", b"Subject: second-command\r\n\r\n.") == [553, 354, 250]
        assert talk.codes(b"MAIL FROM:<>", b"RCPT TO:<c@b.example>") == [250, 250]
        talk.send(b"RCPT TO:<x\nRCPT TO:<evil@x.example>\r\nDATA\r\nSubject: evil\r\n\r\n.\r\n")
        assert talk.rest().startswith(b"500 5.5.2 ")
    left = sink.wait(lambda delivery: b"Subject: second-command" in delivery.content)
    assert left.recipients == ("a@b.example",)
    assert not any("evil@x.example" in delivery.recipients for delivery in sink.deliveries)

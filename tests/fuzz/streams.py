"""What the fuzzer says: mostly grammar, so that it gets somewhere, and then bytes that are wrong."""

import itertools
from base64 import b64encode

from hypothesis import strategies as st

from tests.edge.smtp_in.parts import SECRET

Cuts = list[int]

PLAIN = b64encode(f"\0ann\0{SECRET}".encode())
ANN, PASSWORD = b64encode(b"ann"), b64encode(SECRET.encode())

GREETINGS = [b"EHLO x", b"HELO x", b"EHLO [192.0.2.1]", b"HELO", b"ehlo \x1b<x>"]
MAILS = [
    b"MAIL FROM:<ann@corp.example>",
    b"MAIL FROM:<>",
    b"mail from: <ann@corp.example> SIZE=100 BODY=8BITMIME",
    b"MAIL FROM:<ann@corp.example> RET=HDRS ENVID=a+2B AUTH=<>",
    b"MAIL FROM:<ann@corp.example> HOLDFOR=60",
    "MAIL FROM:<é@corp.example> SMTPUTF8".encode(),
    b"MAIL FROM:<boss@corp.example>",
    b"MAIL FROM:<@x:a@b.example>",
    b"MAIL FROM:<> SIZE=99999",
]
RCPTS = [
    b"RCPT TO:<bob@client.example>",
    b"RCPT TO:<eve@x.example> NOTIFY=NEVER ORCPT=rfc822;eve",
    b'RCPT TO:<"a b"@[IPv6:::1]>',
    b"RCPT TO:<a%b@c.example>",
    b"RCPT TO:<=?utf-8?q?a=40b?=@c.example>",
    b"RCPT TO:<nobody>",
    "RCPT TO:<é@例.example>".encode(),
]
LOGINS = [
    b"AUTH PLAIN " + PLAIN,
    b"AUTH PLAIN\r\n" + PLAIN,
    b"AUTH LOGIN\r\n" + ANN + b"\r\n" + PASSWORD,
    b"AUTH LOGIN\r\n" + ANN,
    b"AUTH LOGIN\r\n*",
    b"AUTH PLAIN AGFubgB4",
    b"AUTH PLAIN =",
    b"AUTH X",
    b"AUTH",
]
OTHERS = [
    *(b"RSET", b"NOOP", b"NOOP x", b"HELP", b"VRFY x", b"EXPN x", b"QUIT", b"STARTTLS", b"STARTTLS x"),
    *(
        b"BDAT 10 LAST",
        b"GET / HTTP/1.1",
        b"",
        b" ",
        b"DATA x",
        b"XCLIENT ADDR=127.0.0.1",
        b"NOOP\0",
        b"\xff",
    ),
    *(b"x" * 12287, b"x" * 12288, b"NOOP " + b"y" * 20000),
]
TEXTS = [
    *(b"Subject: x", b"", b"..", b"...", b". ", b".x", b"FAULT", b"REFUSE", b"MAIL FROM:<evil@x.example>"),
    *(b"x" * 998, b"x" * 70000, b"\0.", b".\0", b"\xff\0", b"RSET", b"BDAT 1 LAST"),
    *(b"one\n.\ntwo", b"one\r.\rtwo", b"one\n.", b"one\r", b"\n.\r", b".\n", b".\r"),
]
ODD = [
    b"\r",
    b"\n",
    b"\0",
    b".",
    b"\r\n",
    b"\r\n.\r\n",
    b"\n.\n",
    b"<",
    b">",
    b"\xff",
    b" ",
    b"DATA\r\n",
    b"=?q?x?=",
]

LINE = st.one_of(*map(st.sampled_from, (GREETINGS, MAILS, RCPTS, LOGINS, OTHERS)), st.binary(max_size=12))
TEXT = st.lists(st.one_of(st.sampled_from(TEXTS), st.binary(max_size=12)), max_size=6).map(b"\r\n".join)


def _joined(parts: tuple[bytes, list[bytes], bytes, bytes]) -> bytes:
    mail, rcpts, text, end = parts
    return b"\r\n".join([mail, *rcpts, b"DATA", text]) + end


MESSAGE = st.tuples(
    st.sampled_from(MAILS[:5]),
    st.lists(st.sampled_from(RCPTS), min_size=1, max_size=4),
    TEXT,
    st.sampled_from([b"\r\n."] * 6 + [b"\r\n.\r\nNOOP", b"", b"\n.", b"\r\n.\n", b"."]),
).map(_joined)

SESSION = st.tuples(
    st.sampled_from([b"", b"EHLO x", b"EHLO x", b"EHLO x\r\nAUTH PLAIN " + PLAIN, b"HELO x"]),
    st.lists(st.one_of(MESSAGE, LINE), max_size=8),
    st.sampled_from([b"", b"\r\n", b"\r\n", b"\r\nQUIT\r\n"]),
).map(lambda parts: b"\r\n".join(filter(None, [parts[0], *parts[1]])) + parts[2])

# Where, how many bytes are taken out, and what is put there instead.
MUTATION = st.tuples(
    st.integers(0, 1 << 16), st.integers(0, 4), st.one_of(st.sampled_from(ODD), st.binary(max_size=3))
)


def mutated(stream: bytes, mutations: list[tuple[int, int, bytes]]) -> bytes:
    """The stream with some bytes in it taken out and put in."""
    for place, out, into in mutations:
        at = place % (len(stream) + 1)
        stream = stream[:at] + into + stream[at + out :]
    return stream


STREAM = st.builds(mutated, SESSION, st.lists(MUTATION, max_size=3))
CUTS: st.SearchStrategy[Cuts] = st.lists(st.integers(0, 1 << 16), max_size=6)


def pieces(stream: bytes, cuts: Cuts) -> list[bytes]:
    """The stream as it comes over the network."""
    at = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:end] for start, end in itertools.pairwise(at)]

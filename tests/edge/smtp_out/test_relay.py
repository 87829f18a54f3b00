"""One attempt at the upstream: the very bytes leave, and every answer is understood."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Sequence
from datetime import timedelta

import pytest

from mailguard.core.delivery import Answer
from mailguard.core.envelope import MailParameters
from mailguard.edge.smtp_out import SmtpRelay
from mailguard.ports import NotOffered
from tests.edge.smtp_out.upstream import (
    CONTENT,
    HANG_UP,
    OFFERS,
    RESET,
    SILENCE,
    Upstream,
    claimed,
    options,
    relaying,
    words,
)
from tests.making import recipient

PLAIN = tuple(offer for offer in OFFERS if offer != "PIPELINING")
both = pytest.mark.parametrize("offers", [OFFERS, PLAIN], ids=["pipelined", "one by one"])


@both
@pytest.mark.parametrize(
    "content",
    [
        CONTENT,
        b"Subject: s\r\n\r\n.\r\n..\r\n.dot\r\n...\r\nend.\r\n",
        b".first\r\n\r\nx\r\n",
        b"Subject: s\r\n\r\nbare\n.dot\n\r.\rx\r\n",
        b"Subject: s\r\n\r\n" + b"x" * 100_000 + b"\r\n",
        b"Subject: s\r\n\r\n\xff\xfe\x00\x1b\r\n",
        b"\r\n\r\n",
        b"Subject: s\r\n\r\n" + b".\r\n" * 200_000,
    ],
)
async def test_the_bytes_leave_as_they_are(offers: Sequence[str], content: bytes) -> None:
    upstream = Upstream(offers=offers)
    async with relaying(upstream) as relay:
        [outcome] = await relay.attempt(claimed(), content)
    assert (outcome.answer, outcome.reply) == (Answer.TAKEN, "250 2.0.0 Queued")
    assert upstream.contents == [content]


async def test_only_a_missing_last_line_end_is_added() -> None:
    upstream = Upstream()
    async with relaying(upstream) as relay:
        await relay.attempt(claimed(), b"Subject: s\r\n\r\nno end")
        await relay.attempt(claimed(), b"")
    assert upstream.contents == [b"Subject: s\r\n\r\nno end\r\n", b"\r\n"]


async def test_thirty_megabytes_in_pieces() -> None:
    content = b"Subject: s\r\n\r\n" + (os.urandom(500).replace(b"\n", b"") + b"\r\n.x\r\n") * 60_000
    upstream = Upstream()
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed(), content)) == ["taken"]
    [arrived] = upstream.contents
    assert hashlib.sha256(arrived).digest() == hashlib.sha256(content).digest()


@both
async def test_all_recipients_share_one_transaction_in_their_order(offers: Sequence[str]) -> None:
    upstream = Upstream(offers=offers)
    async with relaying(upstream) as relay:
        waits = recipient("waits@x.example")
        outcomes = await relay.attempt(claimed("b@x.example", "a@x.example", waits, "c@x.example"), CONTENT)
    assert [o.address for o in outcomes] == ["b@x.example", "a@x.example", "c@x.example"]
    assert upstream.verbs() == ["EHLO", "MAIL", "RCPT", "RCPT", "RCPT", "DATA", "QUIT"]
    assert upstream.commands[2:5] == [
        "RCPT TO:<b@x.example>",
        "RCPT TO:<a@x.example>",
        "RCPT TO:<c@x.example>",
    ]


@both
async def test_each_recipient_has_its_own_answer(offers: Sequence[str]) -> None:
    script = {"RCPT": ["250 ok", "550 5.1.1 gone", "450 4.2.0 grey", "251 forwarded", "452 4.5.3 enough"]}
    upstream = Upstream(offers=offers, script=script)
    async with relaying(upstream) as relay:
        outcomes = await relay.attempt(claimed(*[f"r{n}@x.example" for n in range(5)]), CONTENT)
    assert words(outcomes) == ["taken", "never", "later", "taken", "later"]
    assert [o.reply for o in outcomes[:3]] == ["250 2.0.0 Queued", "550 5.1.1 gone", "450 4.2.0 grey"]
    assert upstream.contents == [CONTENT]


@both
async def test_when_nobody_is_accepted_nothing_is_sent_and_the_connection_lives(
    offers: Sequence[str],
) -> None:
    upstream = Upstream(offers=offers, script={"RCPT": ["550 no", "450 later"]})
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed("a@x.example", "b@x.example"), CONTENT)) == [
            "never",
            "later",
        ]
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
    assert [content for content in upstream.contents if content] == [CONTENT]
    assert upstream.connections == 1


@both
@pytest.mark.parametrize(
    ("step", "reply", "answer"),
    [
        ("MAIL", "451 4.3.0 busy", "later"),
        ("MAIL", "550 5.7.1 not you", "never"),
        # Our login is wrong or missing: that is for an admin to mend, and no fault of the message.
        ("MAIL", "530 5.7.0 Authentication required", "later"),
        ("RCPT", "450 4.2.0 grey", "later"),
        ("RCPT", "550 5.1.1 gone", "never"),
        # RFC 5321 section 4.5.3.1.10: too many recipients, said in the old way.
        ("RCPT", "552 too many recipients", "later"),
        ("RCPT", "552 5.2.2 mailbox full", "never"),
        ("DATA", "451 4.3.0 busy", "later"),
        ("DATA", "554 5.6.0 no", "never"),
        ("MESSAGE", "451 4.3.0 busy", "later"),
        ("MESSAGE", "554 5.7.1 spam", "never"),
        ("MESSAGE", "552 5.3.4 too big", "never"),
        ("GREETING", "554 go away", "later"),
        ("GREETING", "450 busy", "later"),
        ("MAIL", "250-one\r\n250 two", "taken"),
    ],
)
async def test_answers_at_every_step(offers: Sequence[str], step: str, reply: str, answer: str) -> None:
    upstream = Upstream(offers=offers, script={step: [reply]})
    async with relaying(upstream) as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
        assert (outcome.answer.value, outcome.ambiguous) == (answer, False)
        if answer != "taken":
            assert reply[4:] in outcome.reply
        # Whatever it was, the next message is not the worse for it.
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]


@both
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "MESSAGE"])
async def test_421_means_later_on_a_new_connection(offers: Sequence[str], step: str) -> None:
    upstream = Upstream(offers=offers, script={step: ["421 4.3.2 shutting down"]})
    async with relaying(upstream) as relay:
        outcomes = await relay.attempt(claimed("a@x.example", "b@x.example"), CONTENT)
        assert words(outcomes) == ["later", "later"]
        assert [o.reply for o in outcomes] == ["421 4.3.2 shutting down"] * 2
        assert not any(o.ambiguous for o in outcomes)
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
    assert upstream.connections == 2


async def test_a_refusal_that_came_before_421_holds() -> None:
    upstream = Upstream(script={"RCPT": ["550 5.1.1 gone", "250 ok", "421 bye"]})
    async with relaying(upstream) as relay:
        outcomes = await relay.attempt(claimed("a@x.example", "b@x.example", "c@x.example"), CONTENT)
    assert words(outcomes) == ["never", "later", "later"]


@both
@pytest.mark.parametrize("fault", [RESET, HANG_UP, SILENCE])
@pytest.mark.parametrize("step", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE"])
async def test_a_lost_connection_means_later(offers: Sequence[str], step: str, fault: str) -> None:
    short = timedelta(seconds=0.3)
    upstream = Upstream(offers=offers, script={step: [fault]})
    async with relaying(upstream, connect_timeout=short, command_timeout=short, data_timeout=short) as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
        assert outcome.answer is Answer.LATER
        # Only behind the final dot may it have arrived (RFC 1047).
        assert outcome.ambiguous is (step == "MESSAGE")
        assert outcome.reply.startswith("4.4.")
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "MESSAGE"])
@pytest.mark.parametrize(
    "garbage",
    [
        "hello",
        "\x16\x03\x01\x02",
        "250-one\r\n251 two",
        "999 what",
        "250-" + "x" * 10_000,
        "250-x\r\n" * 20_000,
        "x" * 100_000,
    ],
)
async def test_garbage_means_later(step: str, garbage: str) -> None:
    upstream = Upstream(script={step: [garbage]})
    async with relaying(upstream) as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
        assert (outcome.answer, outcome.ambiguous) == (Answer.LATER, step == "MESSAGE")
        assert len(outcome.reply) <= 500
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]


async def test_an_answer_that_fits_no_question_is_never_a_yes() -> None:
    upstream = Upstream(script={"DATA": ["250 ok"]})
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed(), CONTENT)) == ["later"]
    upstream = Upstream(script={"MESSAGE": ["354 go on"]})
    async with relaying(upstream) as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
    assert (outcome.answer, outcome.ambiguous) == (Answer.LATER, True)


async def test_a_server_that_says_no_before_the_end_is_heard() -> None:
    upstream = Upstream(script={"DATA": ["354 go on\r\n552 5.3.4 too big"]})
    async with relaying(upstream) as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT + b"x" * 5_000_000)
    assert outcome.answer is not Answer.TAKEN
    assert "552 5.3.4 too big" in outcome.reply


async def test_replies_in_single_bytes() -> None:
    upstream = Upstream(bytewise=True)
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed("a@x.example", "b@x.example"), CONTENT)) == ["taken"] * 2


async def test_nobody_listens() -> None:
    upstream = Upstream()
    async with relaying(upstream):
        pass
    async with relaying(Upstream(), port=upstream.port) as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
    assert outcome.answer is Answer.LATER
    assert f"127.0.0.1:{upstream.port}" in outcome.reply


async def test_a_cancelled_attempt_leaves_no_connection_behind() -> None:
    upstream = Upstream(script={"MESSAGE": [SILENCE]})
    async with relaying(upstream) as relay:
        attempt = asyncio.create_task(relay.attempt(claimed(), CONTENT))
        while not upstream.contents:
            await asyncio.sleep(0.01)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError) as cut:
            await attempt
        assert not isinstance(cut.value, NotOffered)
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
        # Nobody says goodbye to a server that does not answer.
        async with asyncio.timeout(1):
            await relay.close()
    assert upstream.connections == 2


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_a_cancelled_attempt_says_that_nothing_was_sent(step: str) -> None:
    upstream = Upstream(script={step: [SILENCE]})
    async with relaying(upstream) as relay:
        attempt = asyncio.create_task(relay.attempt(claimed(), CONTENT))
        await asyncio.sleep(0.2)
        attempt.cancel()
        with pytest.raises(NotOffered):
            await attempt


async def _deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes an envelope, and hardly anything of the message."""
    writer.write(b"220 deaf.test\r\n")
    for answer in (b"250 deaf.test", b"250 ok", b"250 ok", b"354 go on"):
        await reader.readline()
        writer.write(answer + b"\r\n")
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(30)
    writer.transport.abort()


@pytest.mark.parametrize("size", [200_000, 20_000_000])
@pytest.mark.parametrize("ending", ["cancel", "timeout"])
async def test_a_message_that_is_still_here_has_not_arrived(size: int, ending: str) -> None:
    """The final dot stands behind the rest: where not all of it could be written, nobody has it."""
    server = await asyncio.start_server(_deaf, "127.0.0.1", 0)
    port, short = server.sockets[0].getsockname()[1], timedelta(seconds=0.5)
    how = {"block_timeout": short, "data_timeout": short} if ending == "timeout" else {}
    relay = SmtpRelay(options(Upstream(), port=port, **how))
    attempt = asyncio.create_task(relay.attempt(claimed(), CONTENT + b"x" * size))
    all_gone = size < 1_000_000
    if ending == "timeout":
        [outcome] = await attempt
        assert outcome.ambiguous is all_gone
    else:
        await asyncio.sleep(0.5)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError) as cut:
            await attempt
        assert isinstance(cut.value, NotOffered) is not all_gone
    await relay.close()
    server.close()


async def test_a_yes_that_was_there_before_the_message_is_no_yes() -> None:
    upstream = Upstream(script={"DATA": ["354 go on\r\n250 2.0.0 have it"]})
    async with relaying(upstream) as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
    assert (outcome.answer, outcome.ambiguous) == (Answer.LATER, False)


async def test_what_is_larger_than_the_server_takes_is_not_offered() -> None:
    upstream = Upstream(offers=("SIZE 1000",))
    async with relaying(upstream) as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT + b"x" * 1000)
        assert outcome.reply.startswith("5.3.4 The outgoing server takes 1000 bytes at most")
        assert outcome.answer is Answer.NEVER
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
    assert upstream.verbs().count("MAIL") == 1


async def test_the_null_sender() -> None:
    upstream = Upstream()
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed(sender=""), CONTENT)) == ["taken"]
    assert upstream.commands[1] == f"MAIL FROM:<> SIZE={len(CONTENT)}"


async def test_delivery_notification_wishes_are_passed_on_and_the_duty_with_them() -> None:
    parameters = MailParameters(ret="HDRS", envid="QQ+2B1")
    told = recipient("b@x.example", in_flight=True, notify="SUCCESS,FAILURE", orcpt="rfc822;B@x.example")
    upstream = Upstream()
    async with relaying(upstream) as relay:
        [outcome] = await relay.attempt(claimed(told, parameters=parameters), CONTENT)
    assert outcome.dsn
    assert upstream.commands[1].endswith(" RET=HDRS ENVID=QQ+2B1")
    assert upstream.commands[2] == "RCPT TO:<b@x.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;B@x.example"
    upstream = Upstream(offers=("PIPELINING",))
    async with relaying(upstream) as relay:
        [outcome] = await relay.attempt(claimed(told, parameters=parameters), CONTENT)
    assert not outcome.dsn
    assert upstream.commands[1:3] == ["MAIL FROM:<a@corp.example>", "RCPT TO:<b@x.example>"]


async def test_what_the_upstream_cannot_take_is_never_offered() -> None:
    upstream = Upstream(offers=("PIPELINING",))
    async with relaying(upstream) as relay:
        eight = await relay.attempt(claimed(), CONTENT + b"\xc3\xa9\r\n")
        sender = await relay.attempt(claimed(sender="é@corp.example"), CONTENT)
        some = await relay.attempt(claimed("é@x.example", "b@x.example"), CONTENT)
    assert [(words(o), o[0].reply[:5]) for o in (eight, sender)] == [
        (["never"], "5.6.3"),
        (["never"], "5.6.7"),
    ]
    # One recipient's address is no reason to keep the message from the others.
    assert (words(some), some[0].reply[:5]) == (["never", "taken"], "5.6.7")
    assert upstream.verbs() == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize(
    "address", ["a@x\r\nRCPT TO:<evil@x>", "a@x> NOTIFY=NEVER", "a@x\x00", "a b@x", "a@x\udc80"]
)
async def test_no_address_can_be_a_command(address: str) -> None:
    upstream = Upstream()
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed(address), CONTENT)) == ["never"]
        assert words(await relay.attempt(claimed(sender=address), CONTENT)) == ["never"]
    assert upstream.verbs() == ["EHLO", "QUIT"]

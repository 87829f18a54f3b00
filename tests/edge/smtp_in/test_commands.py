"""The commands of a submission, over a real socket."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailguard.core.envelope import MailParameters, Recipient
from mailguard.core.reply import Reply
from mailguard.edge.smtp_in.session import COMMANDS, FOREIGN, SmtpSession
from tests.clocks import FakeClock
from tests.edge.smtp_in.parts import NOBODY_TRUSTED, OPTIONS, Inbox, serving
from tests.making import NOW

NO_TLS = b"AUTH PLAIN LOGIN"


async def test_ehlo_offers_what_the_server_can_do() -> None:
    async with serving(clock=FakeClock()) as server:
        client = await server.connect(hello=False)
        assert (await client.ask(b"EHLO x")).split(b"\r\n") == [
            b"250-guard.example",
            b"250-PIPELINING",
            b"250-8BITMIME",
            b"250-SMTPUTF8",
            b"250-ENHANCEDSTATUSCODES",
            b"250-DSN",
            b"250-SIZE 26214400",
            b"250-FUTURERELEASE 604800 2026-11-29T10:00:00Z",
            b"250 " + NO_TLS,
            b"",
        ]


async def test_the_latest_time_of_ehlo_moves_on() -> None:
    clock = FakeClock()
    async with serving(clock=clock) as server:
        client = await server.connect()
        clock.jump(timedelta(minutes=61))
        assert b" 604800 2026-11-29T11:01:00Z\r\n" in await client.ask(b"EHLO x")


async def test_helo_offers_nothing() -> None:
    async with serving() as server:
        client = await server.connect(hello=False)
        assert await client.ask(b"helo x") == b"250 guard.example\r\n"
        assert (await client.mail()).startswith(b"250 ")
        assert server.inbox.submissions[0].protocol == "SMTP"


async def test_a_message_arrives_as_it_was_sent() -> None:
    clock = FakeClock()
    async with serving(clock=clock, logins=False) as server:
        client = await server.connect()
        content = b"Subject: dots\r\n\r\n..two\r\n...three\r\n \xff\x00 8 bit\r\n"
        assert await client.mail(content) == b"250 2.0.0 Queued as 0123\r\n"
        [submission] = server.inbox.submissions
        assert submission.content == b"Subject: dots\r\n\r\n.two\r\n..three\r\n \xff\x00 8 bit\r\n"
        assert submission.envelope.sender == "ann@corp.example"
        assert submission.envelope.recipients == (Recipient(address="bob@client.example"),)
        assert (submission.user, submission.peer, submission.helo) == (None, "127.0.0.1", "laptop.example")
        assert (submission.protocol, submission.received_at) == ("ESMTP", NOW)


async def test_an_empty_message_is_a_message() -> None:
    async with serving() as server:
        client = await server.connect()
        assert (await client.mail(b"")).startswith(b"250 ")
        assert server.inbox.submissions[0].content == b""


async def test_parameters_are_kept_letter_for_letter() -> None:
    async with serving(clock=FakeClock()) as server:
        client = await server.connect()
        await client.codes(
            b"MAIL FROM:<ann@corp.example> size=20 body=8bitmime RET=HDRS ENVID=QQ+3Dab AUTH=<> HOLDFOR=60",
            b"RCPT TO:<Bob@Client.Example> NOTIFY=Success,DELAY ORCPT=rfc822;Bob+2BX@Client.Example",
            b"RCPT TO:<eve@client.example>",
            b"DATA",
        )
        await client.ask(b".")
        envelope = server.inbox.submissions[0].envelope
        assert envelope.parameters == MailParameters(
            size=20,
            body="8BITMIME",
            ret="HDRS",
            envid="QQ+3Dab",
            auth="<>",
            hold_until=NOW + timedelta(seconds=60),
        )
        assert envelope.recipients == (
            Recipient(
                address="Bob@Client.Example",
                notify="Success,DELAY",
                orcpt="rfc822;Bob+2BX@Client.Example",
            ),
            Recipient(address="eve@client.example"),
        )


async def test_the_null_sender_is_empty() -> None:
    async with serving() as server:
        client = await server.connect()
        assert (await client.mail(sender=b"")).startswith(b"250 ")
        assert server.inbox.submissions[0].envelope.sender == ""


async def test_addresses_of_other_scripts() -> None:
    async with serving() as server:
        client = await server.connect()
        sender, recipient = "zoë@corp.example", "用户@例え.example"
        assert await client.codes(f"MAIL FROM:<{sender}>".encode()) == [553]
        assert await client.codes(
            f"MAIL FROM:<{sender}> SMTPUTF8".encode(), f"RCPT TO:<{recipient}>".encode(), b"DATA", b"."
        ) == [250, 250, 354, 250]
        envelope = server.inbox.submissions[0].envelope
        assert (envelope.sender, envelope.recipients[0].address) == (sender, recipient)


async def test_commands_out_of_order() -> None:
    async with serving() as server:
        client = await server.connect(hello=False)
        assert await client.codes(b"MAIL FROM:<>", b"RCPT TO:<a@b.example>", b"DATA") == [503, 503, 503]
        assert await client.codes(b"EHLO", b"HELO", b"EHLO x", b"DATA") == [501, 501, 250, 503]
        assert await client.codes(b"MAIL FROM:<>", b"MAIL FROM:<>", b"DATA") == [250, 503, 554]
        assert await client.codes(b"RCPT TO:<a@b.example>", b"DATA now") == [250, 501]
        assert await client.codes(b"RSET", b"DATA", b"MAIL FROM:<>", b"EHLO x", b"DATA") == [
            250,
            503,
            250,
            250,
            503,
        ]


async def test_parameters_need_ehlo() -> None:
    async with serving() as server:
        client = await server.connect(hello=False)
        assert await client.codes(b"HELO x", b"MAIL FROM:<> SIZE=1", b"MAIL FROM:<>") == [250, 555, 250]
        assert await client.codes(b"RCPT TO:<a@b.example> NOTIFY=NEVER") == [555]


async def test_nobody_learns_who_exists() -> None:
    async with serving() as server:
        client = await server.connect()
        first = await client.ask(b"VRFY someone")
        assert first.startswith(b"252 ")
        assert b"someone" not in first
        assert await client.ask(b"VRFY nobody@nowhere.example") == first
        assert await client.codes(b"EXPN list", b"HELP", b"NOOP x") == [502, 214, 250]


async def test_commands_may_be_sent_all_at_once() -> None:
    async with serving() as server:
        client = await server.connect(hello=False)
        await client.send(
            b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<broken\r\nNOOP\r\nDATA\r\n"
        )
        assert [int((await client.reply())[:3]) for _ in range(6)] == [250, 250, 250, 553, 250, 354]
        await client.send(b"one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
        assert [int((await client.reply())[:3]) for _ in range(4)] == [250, 250, 250, 354]
        await client.send(b"two\r\n.\r\nQUIT\r\n")
        assert [int((await client.reply())[:3]) for _ in range(2)] == [250, 221]
        assert await client.gone()
        assert [one.content for one in server.inbox.submissions] == [b"one\r\n", b"two\r\n"]


async def test_a_reply_is_one_write() -> None:
    """Some scanners take the first packet for the whole reply to EHLO."""
    async with serving() as server:
        client = await server.connect(hello=False)
        await client.send(b"EHLO x\r\n")
        first = await client.reader.read(65536)
        assert first.endswith(b"250 " + NO_TLS + b"\r\n")


async def test_recipients_beyond_the_limit_wait_for_the_next_message() -> None:
    async with serving(replace(OPTIONS, max_recipients=2)) as server:
        client = await server.connect()
        codes = await client.codes(b"MAIL FROM:<>", *(b"RCPT TO:<r%d@b.example>" % n for n in range(4)))
        assert codes == [250, 250, 250, 452, 452]
        assert await client.codes(b"DATA", b".") == [354, 250]
        assert [one.address for one in server.inbox.submissions[0].envelope.recipients] == [
            "r0@b.example",
            "r1@b.example",
        ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:<> SIZE=1001", 552),
        ("MAIL FROM:<> SIZE=²".encode(), 501),
        (b"MAIL FROM:<> SIZE=1000", 250),
    ],
)
async def test_the_size_is_looked_at_before_the_message_comes(line: bytes, code: int) -> None:
    async with serving(replace(OPTIONS, max_message_bytes=1000)) as server:
        client = await server.connect()
        assert await client.codes(line) == [code]


async def test_a_message_larger_than_announced_is_refused_after_it_came() -> None:
    async with serving(replace(OPTIONS, max_message_bytes=1000)) as server:
        client = await server.connect()
        assert (await client.mail(b"x" * 98 + b"\r\n" + b"y" * 898 + b"\r\n")).startswith(b"250 ")
        assert (await client.mail(b"x" * 999 + b"\r\n")).startswith(b"552 5.3.4 ")
        assert len(server.inbox.submissions) == 1


async def test_without_a_login_only_trusted_networks_may_send() -> None:
    async with serving(NOBODY_TRUSTED) as server:
        client = await server.connect()
        assert await client.ask(b"MAIL FROM:<ann@corp.example>") == b"530 5.7.0 Authentication required\r\n"
        assert await client.codes(b"RCPT TO:<a@b.example>", b"DATA") == [503, 503]


async def test_what_the_way_in_answers_is_passed_on() -> None:
    inbox = Inbox(reply=Reply(code=550, status="5.7.1", text="Not\r\n250 to the press"))
    async with serving(inbox=inbox) as server:
        client = await server.connect()
        assert await client.mail() == b"550 5.7.1 Not??250 to the press\r\n"
        assert await client.codes(b"NOOP") == [250]


async def test_a_name_cannot_carry_anything_into_a_header() -> None:
    async with serving() as server:
        client = await server.connect(hello=False)
        await client.ask(b"EHLO a (b [1.2.3.4])\t\x1b\xff;<>@" + b"z" * 400)
        await client.mail()
        helo = server.inbox.submissions[0].helo
        assert helo.startswith("a??b?[1.2.3.4]??????")
        assert len(helo) == 255


async def test_nothing_of_the_library_can_be_reached() -> None:
    """Every command is ours: a command that aiosmtpd learns stays unknown until somebody looked at it."""
    assert {verb.decode() for verb in COMMANDS} - {verb.decode() for verb in FOREIGN} == {
        *("AUTH", "BDAT", "DATA", "EHLO", "EXPN", "HELO", "HELP"),
        *("MAIL", "NOOP", "QUIT", "RCPT", "RSET", "STARTTLS", "VRFY"),
    }
    ours = {
        name
        for kind in SmtpSession.__mro__
        if kind.__module__.startswith("mailguard.")
        for name in vars(kind)
    }
    assert all(command.__name__ in ours for command in COMMANDS.values())
    async with serving() as server:
        client = await server.connect()
        assert await client.codes(b"ETRN x", b"TURN", b"XCLIENT ADDR=x", b"") == [500, 500, 500, 500]

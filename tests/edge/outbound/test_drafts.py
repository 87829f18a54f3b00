"""Drafts are put into a person's own mailbox on a real Dovecot, by both ways to act for somebody."""

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailguard.core.errors import NotPlaced
from mailguard.edge.outbound.drafts import ImapDrafts, ImapOptions
from tests import dovecot
from tests.dovecot import MASTER, PASSWORD, Dovecot
from tests.edge.outbound.receiver import receiving
from tests.programs import free_port

CONTENT = "X-Unsent: 1\r\nBcc: é@corp.example\r\nSubject: Coût\r\n\r\nNot for everybody.\r\n".encode()


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot.running() as running:
        yield running


def options(server: Dovecot) -> ImapOptions:
    return ImapOptions(
        host="localhost",
        port=server.tls_port,
        tls="tls",
        ca_file=server.ca,
        username=MASTER,
        password=PASSWORD,
        master=False,
        folder=None,
    )


async def refused(options: ImapOptions, login: str = "alice", deadline: float = 10) -> str:
    with pytest.raises(NotPlaced) as caught:
        await ImapDrafts(options, deadline=deadline).put(login, CONTENT)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("master", [False, True])
@pytest.mark.parametrize("tls", ["tls", "starttls", "none"])
async def test_a_draft_is_put_into_the_folder_that_the_server_marks(
    server: Dovecot, master: bool, tls: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = len(server.drafts())
    port = server.tls_port if tls == "tls" else server.port
    drafts = ImapDrafts(replace(options(server), master=master, tls=tls, port=port))
    assert await drafts.put("alice", CONTENT) == "Entwürfe"
    flags, content = server.drafts()[-1]
    assert len(server.drafts()) == before + 1
    assert set("DS") <= set(flags)
    assert content.replace(b"\r\n", b"\n") == CONTENT.replace(b"\r\n", b"\n")
    assert server.drafts("bob") == []
    assert PASSWORD not in caplog.text


async def test_many_at_once_each_into_their_own(server: Dovecot) -> None:
    drafts = ImapDrafts(options(server))
    before = len(server.drafts())
    await asyncio.gather(*(drafts.put(login, CONTENT) for login in ["alice", "bob"] * 5))
    assert len(server.drafts()) == before + 5
    assert len(server.drafts("bob")) >= 5


async def test_a_folder_that_the_admin_named(server: Dovecot) -> None:
    assert await ImapDrafts(replace(options(server), folder="INBOX")).put("bob", CONTENT) == "INBOX"
    assert "refused it" in await refused(replace(options(server), folder="Nowhere"))


@pytest.mark.parametrize("master", [False, True])
async def test_who_may_not_act_for_others_is_told_so(server: Dovecot, master: bool) -> None:
    wrong = replace(options(server), master=master)
    told = "does not let the guard into the sender's mailbox"
    assert told in await refused(replace(wrong, password="wrong"))
    assert told in await refused(replace(wrong, username="alice", password=dovecot.PERSONS_OWN), "bob")
    assert told in await refused(wrong, "nobody-here")


@pytest.mark.parametrize("login", ["", "a*b", "alice\r\nx DELETE INBOX", "a\x00b", "a b", "\u202ea"])
async def test_a_login_that_would_be_read_as_something_else(server: Dovecot, login: str) -> None:
    for master in (False, True):
        assert "cannot be that of a mailbox" in await refused(replace(options(server), master=master), login)


@pytest.mark.parametrize("login", ["hélène", 'a"b', "a{3}", "(a", "../bob", "alice/../bob"])
async def test_an_odd_login_is_nobody_elses(server: Dovecot, login: str) -> None:
    before = len(server.drafts("alice")), len(server.drafts("bob"))
    for master in (False, True):
        assert await refused(replace(options(server), master=master), login)
    assert (len(server.drafts("alice")), len(server.drafts("bob"))) == before


async def test_a_certificate_that_nobody_vouches_for(server: Dovecot) -> None:
    assert "cannot be trusted" in await refused(replace(options(server), ca_file=None))
    told = await refused(replace(options(server), ca_file=None, tls="starttls", port=server.port))
    assert "cannot be trusted" in told


async def test_nobody_is_there_or_somebody_else(server: Dovecot) -> None:
    assert "cannot be reached" in await refused(replace(options(server), port=free_port()))
    async with receiving() as web:
        begun = time.monotonic()
        told = await refused(replace(options(server), port=web.port, tls="none"), deadline=1)
        assert "in time" in told or "refused" in told
        assert time.monotonic() - begun < 4


LISTED = [
    b"NIL NIL NIL",
    b"(\\Drafts)",
    b"5 6 7",
    b"(" * 5000,
    b'(\\Drafts) "/" "&&&AAA"',
    b'(\\Drafts) "/" \xff\xfe(((',
    b'(\\Drafts) "/" {999999999999}',
    b'(\\Drafts) "/" {4}\r\na\r\nb',
]


@pytest.mark.parametrize("listed", LISTED, ids=range(len(LISTED)))
async def test_a_server_that_talks_nonsense_is_a_reason_and_no_fault(server: Dovecot, listed: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            tag, command = line.split()[:2]
            said = {b"CAPABILITY": b"IMAP4rev1 SPECIAL-USE", b"LIST": listed}.get(command)
            writer.write(b"* %s %s\r\n" % (command, said) if said else b"")
            writer.write(b"%s OK done\r\n" % tag)
        writer.close()

    odd = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with odd:
        where = replace(options(server), port=odd.sockets[0].getsockname()[1], tls="none", master=True)
        assert (await refused(where)).isprintable()


async def test_a_mailbox_without_such_a_folder() -> None:
    with dovecot.running(folders="") as server:
        assert "has no folder of drafts" in await refused(options(server))

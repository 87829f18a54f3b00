"""Connecting: encrypted as the options say, never less, and logged in only where that is safe."""

import asyncio
import base64
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
import uvloop

from mailguard.core.delivery import Answer
from mailguard.edge.smtp_out import SmtpRelay, Tls
from mailguard.edge.smtp_out.opening import Refused, open_session
from mailguard.edge.smtp_out.session import _CHUNK
from tests.edge.smtp_out.upstream import (
    CONTENT,
    OFFERS,
    RESET,
    Upstream,
    claimed,
    options,
    relaying,
    serving,
    words,
)

STARTTLS = (*OFFERS, "STARTTLS")


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own, and where its certificate lies."""

    ca: trustme.CA
    file: Path

    def server(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or ("127.0.0.1",))).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return _authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return _authority(tmp_path_factory.mktemp("other"))


def _authority(directory: Path) -> Authority:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(directory / "ca.pem"))
    return Authority(ca=ca, file=directory / "ca.pem")


@pytest.mark.parametrize("shift", range(-9, 3))
async def test_dots_where_a_large_message_is_cut(shift: int) -> None:
    """It is written in parts; a line end and the dot behind it may be in two of them."""
    upstream = Upstream()
    dots = b"\r\n.\r\n.\r\n..x\r\n"
    content = b".".ljust(_CHUNK + shift, b"x") + dots
    content += b"x" * (2 * _CHUNK + shift - len(content)) + dots
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed(), content)) == ["taken"]
    assert upstream.contents == [content]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_the_right_certificate(authority: Authority, tls: str) -> None:
    upstream = Upstream(context=authority.server(), offers=STARTTLS, tls_at_once=tls == "tls")
    async with relaying(upstream, tls=tls, ca_file=authority.file) as relay:
        for _ in range(3):
            assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
        large = CONTENT + b".x\r\n" * 1_000_000
        assert words(await relay.attempt(claimed(), large)) == ["taken"]
    assert upstream.contents == [CONTENT] * 3 + [large]
    # What was said before the encryption is not believed after it (RFC 3207 section 4.2).
    assert upstream.verbs().count("EHLO") == (2 if tls == "starttls" else 1)
    assert upstream.connections == 1


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_the_same_with_uvloop(authority: Authority, tls: str) -> None:
    async def run() -> None:
        upstream = Upstream(context=authority.server(), offers=STARTTLS, tls_at_once=tls == "tls")
        async with relaying(upstream, tls=tls, ca_file=authority.file) as relay:
            large = CONTENT + b".x\r\n" * 1_000_000
            assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
            assert words(await relay.attempt(claimed(), large)) == ["taken"]
        assert upstream.contents == [CONTENT, large]

    uvloop.run(run())


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize("wrong", ["signer", "name", "old version"])
async def test_a_wrong_certificate_means_later_and_nothing_is_said(
    authority: Authority, stranger: Authority, tls: str, wrong: str
) -> None:
    context = authority.server("other.test" if wrong == "name" else "127.0.0.1")
    if wrong == "old version":
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    trusted = stranger if wrong == "signer" else authority
    upstream = Upstream(context=context, offers=STARTTLS, tls_at_once=tls == "tls")
    async with relaying(upstream, tls=tls, ca_file=trusted.file) as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
    assert outcome.answer is Answer.LATER
    assert "127.0.0.1" in outcome.reply
    assert set(upstream.verbs()) <= {"EHLO", "STARTTLS"}
    assert upstream.contents == []


@pytest.mark.parametrize("script", [{}, {"STARTTLS": ["454 not now"]}, {"STARTTLS": [RESET]}])
async def test_without_starttls_nothing_leaves_in_the_clear(script: dict[str, list[str]]) -> None:
    upstream = Upstream(offers=STARTTLS if script else OFFERS, script=script)
    async with relaying(upstream, tls=Tls.STARTTLS, username="guard", password="canary") as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
    assert outcome.answer is Answer.LATER
    assert "MAIL" not in upstream.verbs()
    assert "AUTH" not in upstream.verbs()


async def test_words_put_before_the_encryption_are_not_heard(authority: Authority) -> None:
    """STARTTLS injection: what was sent in the clear behind the 220 would be the answer to our EHLO."""
    upstream = Upstream(
        context=authority.server(), offers=STARTTLS, after_starttls=b"250-evil.test\r\n250 SMTPUTF8\r\n"
    )
    async with relaying(upstream, tls="starttls", ca_file=authority.file) as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
    if outcome.answer is Answer.TAKEN:
        assert upstream.verbs()[:3] == ["EHLO", "STARTTLS", "EHLO"]
        assert upstream.commands[3].endswith(f"SIZE={len(CONTENT)}")
    assert upstream.contents in ([CONTENT], [])


async def test_a_file_of_certificates_that_cannot_be_read_means_later(tmp_path: Path) -> None:
    upstream = Upstream(offers=STARTTLS)
    async with relaying(upstream, tls="starttls", ca_file=tmp_path / "missing.pem") as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
    assert outcome.answer is Answer.LATER
    assert "certificates" in outcome.reply
    assert upstream.connections == 0


LOGIN = base64.b64encode(b"\0guard\0canary").decode()


async def test_login(authority: Authority) -> None:
    upstream = Upstream(context=authority.server(), offers=(*STARTTLS, "AUTH PLAIN LOGIN"))
    login = {"username": "guard", "password": "canary"}
    async with relaying(upstream, tls="starttls", ca_file=authority.file, **login) as relay:
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
    assert f"AUTH PLAIN {LOGIN}" in upstream.commands
    assert upstream.verbs().index("AUTH") > upstream.verbs().index("STARTTLS")


async def test_on_this_machine_a_login_needs_no_encryption() -> None:
    upstream = Upstream(offers=(*OFFERS, "AUTH PLAIN"))
    async with relaying(upstream, username="guard", password="canary") as relay:
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
    assert f"AUTH PLAIN {LOGIN}" in upstream.commands


async def test_a_refused_login_means_later_and_tells_no_secret() -> None:
    upstream = Upstream(offers=(*OFFERS, "AUTH PLAIN"), script={"AUTH": ["535 5.7.8 wrong password"]})
    async with relaying(upstream, username="guard", password="canary") as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
    assert outcome.answer is Answer.LATER
    assert "535 5.7.8 wrong password" in outcome.reply
    assert "canary" not in outcome.reply
    assert LOGIN not in outcome.reply


async def test_a_server_without_login_means_later() -> None:
    async with relaying(Upstream(), username="guard", password="canary") as relay:
        assert words(await relay.attempt(claimed(), CONTENT)) == ["later"]


@pytest.fixture
def own_address() -> Iterator[str]:
    """An address of this machine that is not the loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = str(probe.getsockname()[0])
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        pytest.skip("this machine has no address but the loopback")
    yield address


async def test_no_password_in_the_clear_to_another_machine(own_address: str) -> None:
    upstream = Upstream(offers=(*OFFERS, "AUTH PLAIN"))
    server = await asyncio.start_server(upstream.serve, own_address, 0)
    port = server.sockets[0].getsockname()[1]
    relay = SmtpRelay(options(upstream, host=own_address, port=port, username="guard", password="canary"))
    [outcome] = await relay.attempt(claimed(), CONTENT)
    await relay.close()
    server.close()
    assert outcome.answer is Answer.LATER
    assert "TLS" in outcome.reply
    assert "AUTH" not in upstream.verbs()


async def test_a_server_that_knows_no_ehlo() -> None:
    upstream = Upstream(script={"EHLO": ["502 what?"]})
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
    assert upstream.verbs()[:4] == ["EHLO", "HELO", "MAIL", "RCPT"]
    assert upstream.commands[2] == "MAIL FROM:<a@corp.example>"


async def test_why_there_is_no_session() -> None:
    upstream = Upstream(script={"GREETING": ["554 5.3.2 closed for you"]})
    async with serving(upstream):
        with pytest.raises(Refused, match=r"554 5\.3\.2 closed for you"):
            await open_session(options(upstream), None)

"""Real ports and real certificates."""

import asyncio
import contextlib
import os
import resource
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from mailguard.core.errors import ConfigurationError
from mailguard.edge.listeners import SPARE_FILES, Certificates, OpenFiles, Port, listen, split, written
from tests.upstreams import Lines

HOST = "guard.example"


class Hello(asyncio.Protocol):
    """Says one word and hangs up."""

    def __init__(self, word: bytes) -> None:
        self._word = word

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._word)
        transport.close()


def port(address: str, word: bytes = b"hello") -> Port:
    return Port(address=address, factory=lambda: Hello(word))


async def heard(address: str) -> bytes:
    host, number = split(address)
    reader, writer = await asyncio.open_connection(host, number)
    word = await reader.read()
    writer.close()
    return word


def test_addresses() -> None:
    assert split("127.0.0.1:25") == ("127.0.0.1", 25)
    assert split("localhost:0") == ("localhost", 0)
    assert split("[::1]:587") == ("::1", 587)
    assert (written("::1", 587), written("127.0.0.1", 25)) == ("[::1]:587", "127.0.0.1:25")


@pytest.mark.parametrize(
    "address", ["", "25", ":25", "::1:25", "a:", "a:x", "a:65536", "a:-1", "a:²", "[]:25"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match=r"there is no|brackets"):
        split(address)


async def test_several_ports_each_with_its_own_protocol() -> None:
    listeners = await listen([port("127.0.0.1:0", b"one"), port("[::1]:0", b"two")])
    try:
        first, second = listeners.addresses
        assert not first.endswith(":0")
        assert second.startswith("[::1]:")
        assert [await heard(first), await heard(second)] == [b"one", b"two"]
    finally:
        listeners.close()
    with pytest.raises(OSError, match=r"."):
        await heard(first)


async def test_all_ports_are_opened_or_none_and_every_fault_is_told() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as found:
            free = f"127.0.0.1:{found.getsockname()[1]}"
        with pytest.raises(ConfigurationError) as refused:
            await listen([port(free), port(address), port("nonsense")])
    assert [(fault.file, fault.key) for fault in refused.value.faults] == [
        (address, "listen"),
        ("nonsense", "listen"),
    ]
    assert "address already in use" in str(refused.value).lower()
    with pytest.raises(OSError, match=r"."):
        await heard(free)


# ---- certificates


class Files:
    """A certificate and its key on disk."""

    def __init__(self, directory: Path) -> None:
        self.cert = directory / "cert.pem"
        self.key = directory / "key.pem"

    def write(self, authority: trustme.CA) -> None:
        """A new pair, swapped in as `certbot` would: new files under the old names."""
        pair = authority.issue_cert(HOST)
        self._swap(self.cert, b"".join(pem.bytes() for pem in pair.cert_chain_pems))
        self._swap(self.key, pair.private_key_pem.bytes())

    def _swap(self, path: Path, content: bytes) -> None:
        new = path.with_suffix(".new")
        new.write_bytes(content)
        os.replace(new, path)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def shake_hands(server: ssl.SSLContext, authority: trustme.CA, **how: ssl.TLSVersion) -> str | None:
    """A whole handshake in memory, as a client that trusts only this authority; the version of TLS."""
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    for name, value in how.items():
        setattr(client_context, name, value)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=HOST)
    guard = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, guard) * 3:
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return client.version()


def test_a_new_certificate_counts_from_the_next_handshake_on(files: Files) -> None:
    old, new = trustme.CA(), trustme.CA()
    files.write(old)
    log = Lines()
    certificates = Certificates(cert=files.cert, key=files.key, log=log)
    context = certificates.context()
    assert shake_hands(context, old) in ("TLSv1.2", "TLSv1.3")
    assert certificates.context() is context
    files.write(new)
    assert shake_hands(certificates.context(), new)
    with pytest.raises(ssl.SSLError):
        shake_hands(certificates.context(), old)
    assert [name for name, _ in log.lines] == ["tls_certificate_read"]


def test_files_that_do_not_go_together_change_nothing(files: Files) -> None:
    old, new = trustme.CA(), trustme.CA()
    files.write(old)
    log = Lines()
    certificates = Certificates(cert=files.cert, key=files.key, log=log)
    for broken in (
        b"",
        b"-----BEGIN CERTIFICATE-----\nhalf",
        new.issue_cert(HOST).cert_chain_pems[0].bytes(),
    ):
        files.cert.write_bytes(broken)
        assert shake_hands(certificates.context(), old)
        assert certificates.fault is not None
        assert str(files.cert) in str(certificates.fault)
    files.cert.unlink()
    assert shake_hands(certificates.context(), old)
    assert certificates.fault is not None
    assert "No such file" in str(certificates.fault)
    assert [name for name, _ in log.lines] == ["tls_certificate_kept"] * 4
    assert certificates.context()
    assert len(log.lines) == 4, "it is told once, not at every handshake"
    files.write(new)
    assert shake_hands(certificates.context(), new)
    assert certificates.fault is None


@pytest.mark.parametrize("broken", ["cert", "key"])
def test_files_that_cannot_be_used_are_told_at_the_start(files: Files, broken: str) -> None:
    files.write(trustme.CA())
    path: Path = getattr(files, broken)
    path.write_text("not PEM")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        Certificates(cert=files.cert, key=files.key, log=Lines())
    path.unlink()
    with pytest.raises(ConfigurationError) as refused:
        Certificates(cert=files.cert, key=files.key, log=Lines())
    [fault] = refused.value.faults
    assert (fault.file, fault.key) == (str(path), f"tls_{broken}")


def test_a_key_with_a_pass_phrase_asks_nobody(files: Files) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    files.write(trustme.CA())
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"canary"),
        )
    )
    with pytest.raises(ConfigurationError, match="pass phrase"):
        Certificates(cert=files.cert, key=files.key, log=Lines())


def test_old_tls_is_not_spoken(files: Files) -> None:
    authority = trustme.CA()
    files.write(authority)
    context = Certificates(cert=files.cert, key=files.key, log=Lines()).context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert shake_hands(context, authority, maximum_version=ssl.TLSVersion.TLSv1_2) == "TLSv1.2"


# ---- open files


@pytest.fixture
def file_limit() -> Iterator[None]:
    """What a test does to the limit is undone."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_all_the_files_that_the_system_allows_are_asked_for(file_limit: None) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(300, hard), hard))
    assert OpenFiles(Lines()).limit == hard
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard


def test_there_are_never_more_sessions_than_files(file_limit: None) -> None:
    log = Lines()
    files = OpenFiles(log)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    assert files.connections(200) == 200
    assert log.names == []
    assert files.connections(500) == 300 - SPARE_FILES
    assert log.names == ["fewer_connections"]


async def test_the_end_of_the_files_is_told_once_and_so_is_its_end(file_limit: None) -> None:
    log = Lines()
    files = OpenFiles(log)
    await files.look(None)
    assert (files.told(), log.names) == (None, [])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 1, hard))
    for _ in range(2):
        await files.look(None)
    told = files.told()
    assert told is not None
    assert "LimitNOFILE" in told
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    await files.look(None)
    assert files.told() is None
    assert log.names == ["open_files_exhausted", "open_files_enough"]

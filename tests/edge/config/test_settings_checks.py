from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from mailguard.edge.config.settings_checks import smtp_wrongs, upstream_wrongs, web_wrongs
from mailguard.edge.config.settings_model import SmtpSettings, UpstreamSettings, WebSettings


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A certificate with its key, the key of another one, and the key under a passphrase."""
    authority = trustme.CA()
    certificate, other = authority.issue_cert("localhost"), authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    other.private_key_pem.write_to_path(tmp_path / "other.pem")
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    (tmp_path / "locked.pem").write_bytes(locked)
    (tmp_path / "text.pem").write_text("no certificate")
    return tmp_path


@pytest.mark.parametrize(
    ("cert", "key", "wrong"),
    [
        ("cert.pem", "key.pem", []),
        ("cert.pem", "other.pem", [("tls_key", "it is the key of another certificate")]),
        ("cert.pem", "locked.pem", [("tls_key", "it has a passphrase")]),
        ("text.pem", "key.pem", [("tls_cert", "certificate or key is no valid PEM")]),
        ("cert.pem", None, [("tls_key", "is missing")]),
        (None, "key.pem", [("listen_tls", "TLS needs a certificate"), ("tls_cert", "is missing")]),
        (None, None, [("listen_tls", "TLS needs a certificate")]),
    ],
)
def test_certificate_and_key_belong_together(
    files: Path, cert: str | None, key: str | None, wrong: list[tuple[str, str]]
) -> None:
    given = {"listen_tls": ["127.0.0.1:465"]} | {
        name: str(files / value) for name, value in (("tls_cert", cert), ("tls_key", key)) if value
    }
    told = smtp_wrongs(SmtpSettings.model_validate(given))
    assert [(where, problem) for where, problem, _ in told] == wrong


def test_something_has_to_listen() -> None:
    assert [key for key, *_ in smtp_wrongs(SmtpSettings.model_validate({"listen": []}))] == ["listen"]


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ({}, []),
        ({"kind": "maildir", "path": "/srv/out"}, []),
        (
            {"kind": "maildir", "host": "h", "username": "u", "password": "p"},
            ["host", "username", "password"],
        ),
        ({"kind": "smtp", "host": "h"}, []),
        ({"kind": "smtp"}, ["host"]),
        ({"kind": "smtp", "host": "h", "path": "/srv/out"}, ["path"]),
        ({"kind": "smtp", "host": "h", "username": "u"}, ["password"]),
        ({"kind": "smtp", "host": "h", "password": "p"}, ["username"]),
        ({"kind": "smtp", "host": "h", "tls": "none"}, []),
        ({"kind": "smtp", "host": "h", "tls": "none", "username": "u", "password": "p"}, ["tls"]),
        ({"kind": "smtp", "host": "127.9.9.9", "tls": "none", "username": "u", "password": "p"}, []),
        ({"kind": "smtp", "host": "::1", "tls": "none", "username": "u", "password": "p"}, []),
        ({"kind": "smtp", "host": "localhost", "tls": "none", "username": "u", "password": "p"}, []),
    ],
)
def test_an_upstream_is_whole(given: dict[str, str], keys: list[str]) -> None:
    assert [key for key, *_ in upstream_wrongs(UpstreamSettings.model_validate(given))] == keys


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ({}, []),
        ({"listen": "off"}, []),
        ({"listen": "localhost:8025"}, []),
        ({"listen": "[::1]:8025", "public_url": "http://guard.corp.example"}, []),
        ({"listen": "0.0.0.0:8025"}, ["listen"]),
        ({"listen": "[::]:8025", "public_url": "http://guard.corp.example"}, ["listen"]),
        ({"listen": "192.0.2.1:8025", "public_url": "https://guard.corp.example"}, []),
        ({"listen": "192.0.2.1:8025", "allow_http": True}, []),
    ],
)
def test_no_password_crosses_the_network_in_clear(given: dict[str, str | bool], keys: list[str]) -> None:
    assert [key for key, *_ in web_wrongs(WebSettings.model_validate(given))] == keys

"""The log tells no secrets: no body, no password and no token, whatever went wrong."""

import base64
import smtplib
import socket
import ssl
from pathlib import Path

from tests import guard as guards
from tests.guard import LOGIN, PASSWORD, Guard
from tests.promises.talking import RULES, ask, hand_in, letter, shown, until

BODY = "the merger with Ostrich is off"
GUESS = "hunter2-hunter2"
UPSTREAM = "upstream-opensesame"


def test_no_secret_is_in_the_log_or_in_a_reply(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        upstream = {
            **guards.smtp_upstream(closed.getsockname()[1]),
            "username": "guard",
            "password": UPSTREAM,
        }
        guard = guards.configured(tmp_path, upstream, rules=RULES)
        settings = tmp_path / "mailguard.toml"
        settings.write_text(settings.read_text() + '\n[log]\nlevel = "debug"\n')
        guard.start()
        said = [*_logins(guard), *_broken_commands(guard)]
        for content in (letter("plain", BODY), b"\xff\xfe " + BODY.encode() + b"\r\n", _broken_mime()):
            promise = hand_in(guard, content, "b@now.example")
            said.append(promise.reply)
            said.append(str(shown(guard, promise.id)))
        said += [str(ask(guard, "status")), str(ask(guard, "reject", promise.id, reason="x"))]
        said.append(guard.verb("status").stdout + guard.verb("check-config").stdout)
        # Until an attempt has failed; and then no clean end either.
        until(lambda: " later " in guard.log())
        assert guard.process
        guard.process.send_signal(6)
        guard.process.wait()
        said.append(guard.log())
    for secret in (BODY, PASSWORD, GUESS, UPSTREAM):
        for form in (secret, _coded(secret), _coded(f"\0{LOGIN}\0{secret}"), _coded(f"\0guard\0{secret}")):
            assert [text for text in said if form in text] == [], form
    assert [text for text in said if "Traceback" in text] == []


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode().rstrip("=")


def _broken_mime() -> bytes:
    return b'Content-Type: multipart/mixed; boundary="\r\n\r\n--\r\n\r\n' + BODY.encode() + b"\r\n"


def _logins(guard: Guard) -> list[str]:
    """What a client hears that logs in well, badly, and with its password in the wrong place."""
    context = ssl.create_default_context(cafile=str(guard.ca))
    heard = []
    with smtplib.SMTP_SSL("localhost", guard.tls_port, context=context, timeout=60) as session:
        session.ehlo()
        for blob in (f"\0{LOGIN}\0{GUESS}", f"\0{PASSWORD}\0{LOGIN}", f"\0{LOGIN}\0{PASSWORD}"):
            heard.append(session.docmd("AUTH", "PLAIN " + base64.b64encode(blob.encode()).decode()))
    assert [code for code, _ in heard] == [535, 535, 235]
    return [text.decode() for _, text in heard]


def _broken_commands(guard: Guard) -> list[str]:
    """Secrets where commands should be."""
    with smtplib.SMTP("127.0.0.1", guard.port, timeout=60) as session:
        session.ehlo()
        heard = [session.docmd("AUTH", f"PLAIN {_coded(GUESS)}=?"), session.docmd("AUTH", _coded(GUESS))]
    return [text.decode() for _, text in heard]

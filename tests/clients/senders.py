"""How each mail client is told to send one message, in the clear, with STARTTLS, or with TLS from the start.

In the clear nobody logs in (loopback is a trusted network); with TLS every client logs in as alice and
verifies the certificate, where it can.
"""

import json
import os
import smtplib
import ssl
import subprocess
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from tests.clients.mails import Mail
from tests.guard import LOGIN, PASSWORD, SENDER, Guard
from tests.programs import require, require_node_module


class Transport(StrEnum):
    """How the connection is protected."""

    PLAIN = "plain"
    STARTTLS = "starttls"
    TLS = "tls"


Send = Callable[[Guard, Transport, Mail, Path], None]


def _port(guard: Guard, transport: Transport) -> int:
    return guard.tls_port if transport is Transport.TLS else guard.port


def _run(command: list[str], *, stdin: bytes = b"", home: Path, **more: str) -> None:
    env = {**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8", **more}
    done = subprocess.run(
        command, input=stdin, capture_output=True, check=False, timeout=60, env=env, cwd=home
    )
    told = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{told}"


def swaks(guard: Guard, transport: Transport, mail: Mail, home: Path) -> None:
    """swaks, the tester's tool; it ends the last line of its file itself."""
    path = home / "mail.eml"
    path.write_bytes(mail.content.removesuffix(b"\r\n"))
    command = [require("swaks"), "--server", "localhost", "--port", str(_port(guard, transport))]
    command += ["--from", SENDER, "--to", ",".join(mail.recipients), "--data", str(path)]
    command += {Transport.PLAIN: [], Transport.STARTTLS: ["--tls"], Transport.TLS: ["--tls-on-connect"]}[
        transport
    ]
    if transport is not Transport.PLAIN:
        command += ["--tls-verify", "--tls-ca-path", str(guard.ca)]
        command += ["--auth", "PLAIN", "--auth-user", LOGIN, "--auth-password", PASSWORD]
    _run(command, home=home)


def msmtp(guard: Guard, transport: Transport, mail: Mail, home: Path) -> None:
    """msmtp, with delivery status notifications asked for."""
    lines = ["account default", "host localhost", f"port {_port(guard, transport)}", f"from {SENDER}"]
    lines += ["dsn_notify failure,delay", "remove_bcc_headers off"]
    if transport is not Transport.PLAIN:
        lines += ["tls on", f"tls_starttls {'on' if transport is Transport.STARTTLS else 'off'}"]
        lines += [f"tls_trust_file {guard.ca}", "auth plain", f"user {LOGIN}", f"password {PASSWORD}"]
    rc = _secret_file(home / "msmtprc", lines)
    _run([require("msmtp"), f"--file={rc}", "--", *mail.recipients], stdin=mail.content, home=home)


def mutt(guard: Guard, transport: Transport, mail: Mail, home: Path) -> None:
    """mutt, which writes the message itself; its last recipient is blind."""
    *shown, blind = mail.recipients
    text = "Grüße\n.\n..two dots\n".encode()
    _mutt(guard, transport, ["-s", mail.subject, "-b", blind, "--", *shown], text, home)


def mutt_text(guard: Guard, transport: Transport, mail: Mail, home: Path) -> None:
    """mutt, with the text of this mail."""
    text = mail.content.partition(b"\r\n\r\n")[2].replace(b"\r\n", b"\n")
    _mutt(guard, transport, ["-s", mail.subject, "--", *mail.recipients], text, home)


def _mutt(guard: Guard, transport: Transport, arguments: list[str], text: bytes, home: Path) -> None:
    scheme = "smtps" if transport is Transport.TLS else "smtp"
    login = "" if transport is Transport.PLAIN else f"{LOGIN}@"
    starttls = "yes" if transport is Transport.STARTTLS else "no"
    lines = [
        f'set smtp_url = "{scheme}://{login}localhost:{_port(guard, transport)}/"',
        f'set smtp_pass = "{PASSWORD}"',
        'set smtp_authenticators = "login"',
        f"set from = {SENDER}",
        "set use_envelope_from = yes",
        "set write_bcc = yes",
        "set copy = no",
        f"set ssl_starttls = {starttls}",
        f"set ssl_force_tls = {'no' if transport is Transport.PLAIN else 'yes'}",
        f'set certificate_file = "{guard.ca}"',
        "set ssl_usesystemcerts = no",
    ]
    rc = _secret_file(home / "muttrc", lines)
    _run([require("mutt"), "-n", "-F", str(rc), *arguments], stdin=text, home=home)


def curl(guard: Guard, transport: Transport, mail: Mail, home: Path) -> None:
    """curl, which sends a file as it is, its Bcc line too."""
    scheme = "smtps" if transport is Transport.TLS else "smtp"
    command = [require("curl"), "--silent", "--show-error", "--max-time", "50"]
    command += ["--url", f"{scheme}://localhost:{_port(guard, transport)}/laptop.corp.example"]
    command += ["--mail-from", SENDER, "--upload-file", str(_file(mail, home))]
    command += [option for address in mail.recipients for option in ("--mail-rcpt", address)]
    if transport is not Transport.PLAIN:
        command += ["--ssl-reqd", "--cacert", str(guard.ca), "--user", f"{LOGIN}:{PASSWORD}"]
    _run(command, home=home)


def nodemailer(guard: Guard, transport: Transport, mail: Mail, home: Path) -> None:
    """nodemailer, the usual library of Node.js programs."""
    secured = {"auth": {"user": LOGIN, "pass": PASSWORD}, "tls": {"ca": guard.ca.read_text()}}
    options = {
        "host": "localhost",
        "port": _port(guard, transport),
        "secure": transport is Transport.TLS,
        "requireTLS": transport is Transport.STARTTLS,
        "ignoreTLS": transport is Transport.PLAIN,
        **({} if transport is Transport.PLAIN else secured),
    }
    envelope = {"from": SENDER, "to": list(mail.recipients)}
    order = {"transport": options, "mail": {"envelope": envelope, "raw": mail.content.decode()}}
    script = Path(__file__).with_name("nodemailer.cjs")
    modules = require_node_module("nodemailer")
    _run([require("node"), str(script)], stdin=json.dumps(order).encode(), home=home, NODE_PATH=str(modules))


def python(guard: Guard, transport: Transport, mail: Mail, home: Path) -> None:
    """smtplib of the standard library."""
    context = ssl.create_default_context(cafile=str(guard.ca))
    port = _port(guard, transport)
    if transport is Transport.TLS:
        session: smtplib.SMTP = smtplib.SMTP_SSL("localhost", port, context=context, timeout=30)
    else:
        session = smtplib.SMTP("localhost", port, timeout=30)
    with session:
        if transport is Transport.STARTTLS:
            session.starttls(context=context)
        if transport is not Transport.PLAIN:
            session.login(LOGIN, PASSWORD)
        assert session.sendmail(SENDER, list(mail.recipients), mail.content) == {}


# Clients that are handed a finished message, so that its bytes can be told from the first to the last.
VERBATIM: tuple[Send, ...] = (swaks, msmtp, curl, nodemailer, python)
ALL: tuple[Send, ...] = (*VERBATIM, mutt)


def _file(mail: Mail, home: Path) -> Path:
    path = home / "mail.eml"
    path.write_bytes(mail.content)
    return path


def _secret_file(path: Path, lines: list[str]) -> Path:
    """A client's settings with a password in them; msmtp refuses a file that others can read."""
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n")
    return path

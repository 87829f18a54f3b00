"""A private Dovecot on loopback: two people with mailboxes, and a login that may act for others."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.programs import free_port, require, require_root

MASTER = "guard"
PASSWORD = "hunter2"
PERSON = "alice"
PERSONS_OWN = "of alice alone"
FOLDER = "Entw&APw-rfe"

CONFIGURATION = """
base_dir = {here}/run
state_dir = {here}/state
log_path = {here}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{here}/cert.pem
ssl_key = <{here}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_master_user_separator = *
auth_failure_delay = 0 secs
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
mail_location = maildir:{here}/mail/%u
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
passdb {{
  driver = passwd-file
  master = yes
  args = {here}/masters
  pass = yes
}}
passdb {{
  driver = passwd-file
  args = {here}/users
}}
userdb {{
  driver = passwd-file
  args = {here}/users
}}
namespace inbox {{
  inbox = yes
  separator = /
{folders}
}}
"""

DRAFTS = """
  mailbox "Entwürfe" {
    auto = create
    special_use = \\Drafts
  }
"""


@dataclass(frozen=True, kw_only=True)
class Dovecot:
    """`port` speaks plain IMAP and STARTTLS, `tls_port` TLS; `ca` certifies both."""

    here: Path
    port: int
    tls_port: int
    ca: Path

    def drafts(self, person: str = PERSON, folder: str = FOLDER) -> list[tuple[str, bytes]]:
        """The flags and the bytes of what lies in a person's folder of drafts, oldest first."""
        found = self.here / "mail" / person / f".{folder}"
        files = [path for part in ("new", "cur") for path in (found / part).glob("*")]
        return [(path.name.rpartition(":2,")[2], path.read_bytes()) for path in sorted(files)]

    def log(self) -> str:
        return (self.here / "log").read_text(errors="replace")


@contextmanager
def running(*, folders: str = DRAFTS) -> Iterator[Dovecot]:
    """One that runs for as long as the context lasts."""
    program = require("dovecot", package="dovecot-imapd")
    require_root()
    # Under /tmp itself: the mailboxes are nobody's, who cannot get into what is pytest's.
    here = Path(tempfile.mkdtemp(prefix="mailguard-dovecot-"))
    try:
        dovecot = _configured(here, folders)
        process = subprocess.Popen([program, "-F", "-c", str(here / "dovecot.conf")])
        try:
            _await(dovecot, process)
            yield dovecot
        finally:
            process.terminate()
            process.wait(20)
    finally:
        shutil.rmtree(here, ignore_errors=True)


def _configured(here: Path, folders: str) -> Dovecot:
    here.chmod(0o755)
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(here / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(here / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(here / "cert.pem"))
    lines = [f"{name}:{{plain}}{PERSONS_OWN}:65534:65534::{here}/mail/{name}::\n" for name in (PERSON, "bob")]
    (here / "users").write_text("".join(lines))
    (here / "masters").write_text(f"{MASTER}:{{plain}}{PASSWORD}\n")
    (here / "mail").mkdir()
    os.chown(here / "mail", 65534, 65534)
    dovecot = Dovecot(here=here, port=free_port(), tls_port=free_port(), ca=here / "ca.pem")
    text = CONFIGURATION.format(here=here, port=dovecot.port, tls_port=dovecot.tls_port, folders=folders)
    (here / "dovecot.conf").write_text(text)
    return dovecot


def _await(dovecot: Dovecot, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, dovecot.log()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", dovecot.port), 1) as probe:
            if probe.recv(100).startswith(b"* OK"):
                return
        time.sleep(0.05)
    raise AssertionError(f"Dovecot does not answer:\n{dovecot.log()}")

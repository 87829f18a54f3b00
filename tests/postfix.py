"""A Postfix on loopback in a directory of its own: an upstream for tests, a rival for benchmarks."""

import contextlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.programs import find, free_port

SERVICES = """
smtp      inet n - n - -     smtpd
pickup    unix n - n 60 1    pickup
cleanup   unix n - n - 0     cleanup
qmgr      unix n - n 300 1   qmgr
rewrite   unix - - n - -     trivial-rewrite
bounce    unix - - n - 0     bounce
defer     unix - - n - 0     bounce
trace     unix - - n - 0     bounce
verify    unix - - n - 1     verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - -     proxymap
tlsmgr    unix - - n 1000? 1 tlsmgr
smtp      unix - - n - -     smtp
relay     unix - - n - -     smtp
showq     unix n - n - -     showq
error     unix - - n - -     error
retry     unix - - n - -     error
discard   unix - - n - -     discard
virtual   unix - n n - -     virtual
anvil     unix - - n - 1     anvil
scache    unix - - n - 1     scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Started by `start`, gone with everything it wrote after `stop`; needs root.

    `settings` are lines of main.cf on top of the few that keep it on loopback and inside its directory.
    Without `logging` it writes to syslog, as an installed one does, and `log` stays empty.
    """

    def __init__(
        self, settings: Mapping[str, str], *, parent: Path | None = None, logging: bool = True
    ) -> None:
        self.port = free_port()
        # Not pytest's directory: Postfix gives up root, and must still be able to enter its own.
        self.directory = Path(tempfile.mkdtemp(prefix="mailguard-postfix-", dir=parent))
        self.directory.chmod(0o755)
        log = {"maillog_file": str(self.directory / "mail.log"), "maillog_file_prefixes": str(self.directory)}
        self._write_configuration({**(log if logging else {}), **settings})

    @property
    def queue(self) -> Path:
        """Postfix's queue directory."""
        return self.directory / "queue"

    def start(self) -> None:
        """Start it, and return when it takes mail."""
        self.run("postfix", "start")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as probe:
                if probe.recv(100).startswith(b"220"):
                    return
            time.sleep(0.1)
        raise RuntimeError(f"Postfix does not answer:\n{self.log()[-3000:]}")

    @property
    def pid(self) -> int:
        """The master's process; all others are below it."""
        return int((self.queue / "pid" / "master.pid").read_text())

    def stop(self) -> None:
        """Stop it and remove its directory."""
        self.run("postfix", "stop", check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, program: str, *arguments: str, check: bool = True) -> str:
        """Run one of Postfix's programs on this instance; its output."""
        path = find(program)
        if path is None:
            raise FileNotFoundError(program)
        command = [path, "-c", str(self.directory / "etc"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}{self.log()[-3000:]}")
        return done.stdout

    def log(self) -> str:
        """What it logged so far."""
        log = self.directory / "mail.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def count(self, queue: str) -> int:
        """How many messages are in one of its queues (`hold`, `deferred`, `active`, `incoming`)."""
        return sum(1 for path in (self.queue / queue).rglob("*") if path.is_file())

    def _write_configuration(self, settings: Mapping[str, str]) -> None:
        etc, data = self.directory / "etc", self.directory / "data"
        for path in (etc, data, self.queue):
            path.mkdir()
        owner = pwd.getpwnam("postfix")
        shutil.chown(data, owner.pw_uid, owner.pw_gid)
        lines = {
            "compatibility_level": "3.6",
            "queue_directory": str(self.queue),
            "data_directory": str(data),
            "myhostname": "upstream.test",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8",
            "mydestination": "",
            "local_recipient_maps": "",
            "alias_maps": "",
            "smtputf8_enable": "yes",
            **settings,
        }
        (etc / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in lines.items()))
        services = SERVICES.replace("smtp      inet", f"127.0.0.1:{self.port} inet")
        (etc / "master.cf").write_text(services.lstrip())

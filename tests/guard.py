"""A real guard: `mailguard serve` in a process and a directory of its own, driven by its own command line."""

import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import trustme

from tests.programs import free_port

PROGRAM = Path(sys.executable).with_name("mailguard")
LOGIN = "alice"
PASSWORD = "correct horse battery staple"
SENDER = "alice@corp.example"

RULES = """
internal_domains = ["corp.example"]
margin = "0s"
notify = "never"

[[rule]]
name = "external"
when = { to = "external" }
delay = "1h"
"""

SETTINGS = """
hostname = "guard.corp.example"
state_dir = "state"
rules_file = "rules.toml"

[smtp]
listen = ["127.0.0.1:{guard.port}"]
listen_tls = ["127.0.0.1:{guard.tls_port}"]
tls_cert = "cert.pem"
tls_key = "key.pem"
trusted_networks = ["127.0.0.0/8"]
{smtp}
[upstream]
{upstream}

[accounts]
file = "users"
admins = ["root"]

[web]
listen = "{listen}"
{web}
"""

Message = dict[str, Any]
Wanted = Callable[[Message], bool]


@dataclass(kw_only=True)
class Guard:
    """`port` speaks SMTP and STARTTLS, `tls_port` TLS from the first byte; `ca` certifies both.
    `web_port` is that of the page, 0 where there is none. `program` is what serves."""

    directory: Path
    port: int
    tls_port: int
    ca: Path
    web_port: int = 0
    process: subprocess.Popen[bytes] | None = None
    program: Sequence[str] = (str(PROGRAM),)

    def verb(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one verb of the command line on this guard."""
        command = [str(PROGRAM), *arguments, "--config", str(self.directory / "mailguard.toml")]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, timeout=60, env=environment()
        )

    def welcome(self, login: str, password: str) -> None:
        """A login that may send as itself at corp.example: the line of `mailguard users add`, but for a hash
        that costs no time."""
        with (self.directory / "users").open("a") as users:
            users.write(f"{login}:{_hashed(password)}:{login}@corp.example\n")

    def ask(self, *arguments: str) -> Any:
        """The JSON that a verb prints; it must end well."""
        done = self.verb(*arguments, "--json")
        assert done.returncode == 0, (
            f"mailguard {' '.join(arguments)}: {done.stdout}{done.stderr}{self.log()}"
        )
        return json.loads(done.stdout)

    def wait_for(self, wanted: Wanted, timeout: float = 10) -> Message:
        """The first message of the queue, finished ones too, that fits."""
        deadline = time.monotonic() + timeout
        while True:
            found = [message for message in self.ask("queue", "--all") if wanted(message)]
            if found:
                return dict(found[0])
            assert time.monotonic() < deadline, f"no such message in the queue:\n{self.log()}"
            time.sleep(0.1)

    def raw(self, message_id: str) -> bytes:
        """A message as the guard received it."""
        command = [
            str(PROGRAM),
            "show",
            message_id,
            "--raw",
            "--config",
            str(self.directory / "mailguard.toml"),
        ]
        return subprocess.run(command, capture_output=True, check=True, timeout=60, env=environment()).stdout

    def log(self) -> str:
        """What it wrote so far."""
        log = self.directory / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    @property
    def pid(self) -> int:
        """The process of a guard that runs."""
        assert self.process
        return self.process.pid

    def memory(self, what: str) -> int:
        """What the system says of its memory, in bytes: VmRSS now, VmHWM at its highest."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition(what + ":")[2].split()[0]) * 1024

    def start(self) -> None:
        """Start it, and return when it says that it is ready (sd_notify)."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.bind("")
            supervisor.settimeout(0.2)
            address = "@" + supervisor.getsockname()[1:].decode()
            command = [*self.program, "serve", "--config", str(self.directory / "mailguard.toml")]
            with (self.directory / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment(NOTIFY_SOCKET=address),
                )
            self._await_ready(supervisor)

    def _await_ready(self, supervisor: socket.socket) -> None:
        assert self.process
        # A machine that has much else to do.
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(TimeoutError):
                if "READY=1" in supervisor.recv(4096).decode().splitlines():
                    return
        self.stop()
        raise AssertionError(f"the guard did not become ready:\n{self.log()}")

    def stop(self, patience: float = 20) -> int:
        """Ask it to end, as systemd does; its exit code. It has so many seconds."""
        assert self.process
        self.process.terminate()
        try:
            code = self.process.wait(patience)
            # pytest keeps the directories of several runs, and a reserve on the disk for each would fill it.
            (self.directory / "state" / "reserve").unlink(missing_ok=True)
            return code
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(
                f"the guard did not end within {patience} s of SIGTERM:\n{self.log()}"
            ) from None


@functools.cache
def _hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


# Set to "true", it runs any test that starts a guard on one whose SMTP has a process of its own.
OWN_PROCESS = "MAILGUARD_SMTP__OWN_PROCESS"


def environment(**more: str) -> dict[str, str]:
    """The environment of a user who has configured nothing."""
    ours = {
        key: value
        for key, value in os.environ.items()
        if key == OWN_PROCESS or not key.startswith(("MAILGUARD_", "NOTIFY_"))
    }
    return {**ours, **more}


def configured(
    directory: Path, upstream: Mapping[str, str | int], *, rules: str = RULES, smtp: str = "", web: str = ""
) -> Guard:
    """A guard that is set up but not started: both files, a certificate, and the login of alice.

    `smtp` are further lines of that section of mailguard.toml. `web` makes it serve the page, with these
    further lines; without any, it has none, and starts faster.
    """
    _certified(directory)
    guard = Guard(
        directory=directory,
        port=free_port(),
        tls_port=free_port(),
        ca=directory / "ca.pem",
        web_port=free_port() if web else 0,
    )
    settings = "\n".join(f"{key} = {json.dumps(value)}" for key, value in upstream.items())
    listen = f"127.0.0.1:{guard.web_port}" if web else "off"
    text = SETTINGS.format(guard=guard, smtp=smtp, upstream=settings, listen=listen, web=web)
    (directory / "mailguard.toml").write_text(text)
    (directory / "rules.toml").write_text(rules)
    guard.welcome(LOGIN, PASSWORD)
    return guard


def _certified(directory: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(directory / "key.pem"))
    for index, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(str(directory / "cert.pem"), append=index > 0)


@contextlib.contextmanager
def running(directory: Path, upstream: Mapping[str, str | int], **how: str) -> Iterator[Guard]:
    """A guard that runs for as long as the context lasts, and ends cleanly."""
    guard = configured(directory, upstream, **how)
    guard.start()
    try:
        yield guard
    finally:
        code = guard.stop()
    assert code == 0, f"the guard ended with {code}:\n{guard.log()}"


def smtp_upstream(port: int) -> dict[str, str | int]:
    """The section of an upstream on loopback that speaks plain SMTP."""
    return {"kind": "smtp", "host": "127.0.0.1", "port": port, "tls": "none"}

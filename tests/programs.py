"""Programs that some tests need and pip cannot bring: skipped at home, an error under CI=true."""

import contextlib
import os
import secrets
import shutil
import socket
from pathlib import Path
from typing import NoReturn

import pytest

# Debian keeps servers out of a user's PATH.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
# Below what Linux (32768) and the IANA (49152) give to clients.
SERVERS = (10_000, 32_768)


def find(program: str) -> str | None:
    """Where the program is, or None."""
    return shutil.which(program, path=SEARCH_PATH)


def require(program: str, *, package: str = "") -> str:
    """The path of a program; without it the test is skipped, or fails under CI=true."""
    found = find(program)
    if found is None:
        missing(f"{program} is not installed (apt install {package or program})")
    return found


def require_root() -> None:
    """For tests that start a server which gives up root by itself."""
    if os.geteuid() != 0:
        missing("only root can start a Postfix")


def require_node_module(name: str) -> Path:
    """The directory of node modules that has this one: MAILGUARD_NODE_MODULES, or where `.ci/run` puts it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "mailguard-ci"
    directory = Path(os.environ.get("MAILGUARD_NODE_MODULES", cache / "node_modules"))
    if not (directory / name).is_dir():
        missing(f"the node module {name} is not in {directory} (set MAILGUARD_NODE_MODULES)")
    return directory.absolute()


def missing(what: str) -> NoReturn:
    """Skip, or fail where nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment, nor is given to a client that connects.

    A server that dies and is started again has to find its port free; one from the range that the system
    gives to clients may be somebody's by then.
    """
    for _ in range(100):
        port = SERVERS[0] + secrets.randbelow(SERVERS[1] - SERVERS[0])
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As servers do: the last connections of the one before must not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"no port of {SERVERS} is free")

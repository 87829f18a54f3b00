"""A pytest plugin: aiosmtpd's own tests on the guard's session, compared by reply code and not by text.

    python -m pytest -p tests.library.plugin --pyargs aiosmtpd.tests

It needs pytest-mock, and setuptools before 82, which those tests import.
"""

import functools
import json
import os
import smtplib
import socket
from pathlib import Path
from typing import Any

import aiosmtpd.controller
import aiosmtpd.smtp
import pytest

from tests.library.swapped import Swapped

SPEAKS = (
    "getreply",
    "docmd",
    "helo",
    "ehlo",
    "mail",
    "rcpt",
    "data",
    "vrfy",
    "quit",
    "auth",
    "login",
    "starttls",
)


class Said(tuple[int, bytes]):
    """A reply that equals every reply of its code: the guard has its own words."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple) and self[:1] == other[:1]

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__


def by_code(method: Any) -> Any:
    """A method of the client, with replies that compare by code."""

    @functools.wraps(method)
    def said(*arguments: Any, **how: Any) -> Any:
        return Said(method(*arguments, **how))

    return said


def pytest_runtest_setup() -> None:
    """Before each test, because one of them puts the client's own methods back."""
    for name in SPEAKS:
        method = getattr(smtplib.SMTP, name)
        if not hasattr(method, "__wrapped__"):
            setattr(smtplib.SMTP, name, by_code(method))


def pytest_configure(config: pytest.Config) -> None:
    """Before the tests are imported: they take the class's name with them."""
    # Some tests stop the loop under an open connection, and then wait for it to be closed.
    socket.setdefaulttimeout(3)
    for module in (aiosmtpd.smtp, aiosmtpd.controller):
        module.__dict__["SMTP"] = Swapped
    if file := os.environ.get("MAILGUARD_OUTCOMES"):
        config.pluginmanager.register(Outcomes(Path(file)))


class Outcomes:
    """Writes down which tests went otherwise than on the library's class, where MAILGUARD_OUTCOMES says."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._run: set[str] = set()
        self._otherwise: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called for the beginning, the middle and the end of every test."""
        name = Path(report.location[0]).name + "::" + report.location[2].replace(".", "::", 1)
        self._run.add(name)
        if report.failed:
            self._otherwise.add(name)

    def pytest_sessionfinish(self) -> None:
        """All that were run, all that went otherwise, and how many sessions the guard had."""
        told = {"run": sorted(self._run), "otherwise": sorted(self._otherwise), "sessions": Swapped.used}
        self._file.write_text(json.dumps(told, indent=1))

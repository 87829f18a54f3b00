"""`mailguard users`: the logins, kept in the users file; no guard needs to run, and a running one sees it."""

import sys
from pathlib import Path
from typing import NoReturn

import click

from mailguard.cli import options
from mailguard.cli.ending import end, print_json
from mailguard.core.errors import MailguardError
from mailguard.core.told import Told

_login = click.argument("login", metavar="LOGIN")
_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of the input."
)


@click.group()
def users() -> None:
    """Logins: who may send, and as which addresses."""


@users.command()
@options.common
@_login
@click.option(
    "--address",
    "addresses",
    metavar="ADDRESS",
    multiple=True,
    help="May send as this one: a@x, news-*@x or @x (repeatable).",
)
@_password_stdin
def add(
    config: Path | None, as_json: bool, login: str, addresses: tuple[str, ...], password_stdin: bool
) -> None:
    """A new login; without --address, a login that is an address may send as itself."""
    from mailguard.edge import accounts  # noqa: PLC0415

    try:
        accounts.add_user(_path(config), login, _password(password_stdin), addresses)
    except (MailguardError, OSError) as error:
        _fail(error, as_json)
    _done(f"{login} may log in now", as_json)


@users.command()
@options.common
@_login
@_password_stdin
def passwd(config: Path | None, as_json: bool, login: str, password_stdin: bool) -> None:
    """A new password for a login."""
    from mailguard.edge import accounts  # noqa: PLC0415

    try:
        accounts.set_password(_path(config), login, _password(password_stdin))
    except (MailguardError, OSError) as error:
        _fail(error, as_json)
    _done(f"{login} has a new password", as_json)


@users.command()
@options.common
@_login
def remove(config: Path | None, as_json: bool, login: str) -> None:
    """Take a login away."""
    from mailguard.edge import accounts  # noqa: PLC0415

    try:
        accounts.remove_user(_path(config), login)
    except (MailguardError, OSError) as error:
        _fail(error, as_json)
    _done(f"{login} cannot log in any more", as_json)


@users.command("list")
@options.common
def list_(config: Path | None, as_json: bool) -> None:
    """Every login with its addresses."""
    from mailguard.edge import accounts  # noqa: PLC0415

    try:
        found = accounts.read_users(_path(config))
    except (MailguardError, OSError) as error:
        _fail(error, as_json)
    people = [user.account for user in found.by_login.values()]
    if as_json:
        print_json([{"login": one.login, "addresses": list(one.addresses)} for one in people])
    else:
        lines = [f"{one.login}\t{', '.join(one.addresses) or '(may send as nobody)'}\n" for one in people]
        sys.stdout.write("".join(lines) or "No logins yet: mailguard users add LOGIN --address ADDRESS\n")
    sys.stderr.write("".join(f"{fault}\n" for fault in found.faults))


def _path(config: Path | None) -> Path:
    from mailguard.edge.config import load_settings  # noqa: PLC0415

    return load_settings(config).accounts.file


def _password(from_input: bool) -> str:
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _fail(error: Exception, as_json: bool) -> NoReturn:
    told = Told.REFUSED if isinstance(error, MailguardError) else Told.FAULT
    end([{"told": told.value, "text": str(error)}], as_json=as_json, single=True)


def _done(text: str, as_json: bool) -> NoReturn:
    end([{"told": Told.DONE.value, "text": text}], as_json=as_json, single=True)

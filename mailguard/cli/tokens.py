"""`mailguard tokens`: what programs show instead of a password, for one login, as far as it says."""

import sys
from pathlib import Path
from typing import Any, cast

import click

from mailguard.cli import options
from mailguard.cli.asking import ask
from mailguard.cli.ending import end, need, print_json


@click.group()
def tokens() -> None:
    """What programs show instead of a password.

    Without --login, the tokens are those of the admin of this machine, who sees everybody's mail.
    """


LOGIN = click.option("--login", metavar="NAME", default="", help="Whose it is.")
NAME = click.argument("name", metavar="NAME")


@tokens.command("list")
@options.common
@click.option("--login", metavar="NAME", default=None, help="Only those of this login.")
def list_(config: Path | None, as_json: bool, login: str | None) -> None:
    """All tokens: whose, how far they reach, until when, and when they were used last."""
    request: dict[str, object] = {"verb": "tokens"}
    answer = need(ask(config, request if login is None else {**request, "login": login}), as_json=as_json)
    listed = cast("list[dict[str, Any]]", answer["tokens"])
    if as_json:
        print_json(listed)
        return
    from mailguard.cli import render  # noqa: PLC0415

    render.tokens(listed)


@tokens.command()
@options.common
@NAME
@LOGIN
@click.option(
    "--scope",
    type=click.Choice(["read", "act", "admin"]),
    default="act",
    show_default=True,
    help="To look, to look and decide, or for all that its login may.",
)
@click.option(
    "--days",
    metavar="N",
    type=click.FloatRange(min=0, max=366, min_open=True),
    default=90.0,
    show_default=True,
)
@click.option("--forever", is_flag=True, help="Good until it is revoked.")
def new(
    config: Path | None, as_json: bool, name: str, login: str, scope: str, days: float, forever: bool
) -> None:
    """Make one and print it; it is told this once."""
    asked = {"name": name, "login": login, "scope": scope, "days": None if forever else days}
    answer = need(ask(config, {"verb": "token-new", **asked}), as_json=as_json)
    if as_json:
        print_json({"token": answer["token"]})
    else:
        sys.stdout.write(f"{answer['token']}\n")


@tokens.command()
@options.common
@NAME
@LOGIN
def revoke(config: Path | None, as_json: bool, name: str, login: str) -> None:
    """Make one good for nothing, at once."""
    end([ask(config, {"verb": "token-revoke", "name": name, "login": login})], as_json=as_json, single=True)

"""`mailguard login` and `logout`: the same verbs on a guard on another machine."""

import os
import socket
import sys

import click

from mailguard.cli.asking import faults_told
from mailguard.cli.ending import end


@click.command()
@click.argument("url", metavar="URL")
@click.option("--login", metavar="NAME", prompt=True, help="The login of your mail program.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of the input.")
@click.option(
    "--scope",
    type=click.Choice(["read", "act", "admin"]),
    default="act",
    show_default=True,
    help="How far the verbs reach: look, decide about your own messages, or all that your login may.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def login(url: str, login: str, password_stdin: bool, scope: str, as_json: bool) -> None:
    """Let the verbs act on the guard at URL, on your own messages, for 90 days or until `mailguard logout`.

    With --config, and on a machine whose MAILGUARD_CONFIG is set, they go on acting on the guard there.
    """
    from mailguard.edge import remote  # noqa: PLC0415

    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True)
    name = f"{os.environ.get('USER', 'somebody')}@{socket.gethostname()} {os.urandom(2).hex()}"
    name = "".join(char if char.isascii() and (char.isalnum() or char in "._@ -") else "-" for char in name)
    end(
        [faults_told(lambda: remote.log_in(url, login, password, name[-64:].lstrip("._@ -"), scope))],
        as_json=as_json,
        single=True,
    )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def logout(as_json: bool) -> None:
    """Revoke the token that `mailguard login` made, and let the verbs act on this machine again."""
    from mailguard.edge import remote  # noqa: PLC0415

    found = remote.known()
    if found is None:
        end([{"told": "already", "text": "You have not logged in anywhere."}], as_json=as_json, single=True)
    end([faults_told(lambda: remote.log_out(found))], as_json=as_json, single=True)

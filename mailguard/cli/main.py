"""The verbs, one function each; their docstrings are the help that people read."""

import base64
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from mailguard.cli import when
from mailguard.cli.asking import ask
from mailguard.cli.ending import end, need, print_json
from mailguard.cli.users import users

Config = Annotated[
    Path | None, typer.Option("--config", metavar="PATH", help="The configuration file (mailguard.toml).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="A message id, or enough of its beginning.")]
Ids = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Message ids, or enough of their beginnings.")
]

verbs = typer.Typer(
    name="mailguard",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Holds outgoing mail for a moment, so that a wrong recipient can still be stopped.",
    epilog=(
        "Exit codes: 0 done, 1 a fault of ours, 2 usage or configuration, 3 no such message, "
        "4 too late, 5 not yours, 75 try again later."
    ),
)
verbs.add_typer(users)


def main() -> None:
    """The program `mailguard`. A fault of ours ends in one line, unless MAILGUARD_TRACE asks for all."""
    try:
        verbs()
    except BrokenPipeError:
        # The reader of a pipe had enough; Python must not complain while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if os.environ.get("MAILGUARD_TRACE"):
            raise
        sys.stderr.write(f"mailguard: a fault of ours: {type(error).__name__}: {error}\n")
        sys.stderr.write("MAILGUARD_TRACE=1 in the environment shows where.\n")
        sys.exit(1)


@verbs.command()
def serve(config: Config = None) -> None:
    """Run the guard in the foreground. SIGTERM ends it cleanly, SIGHUP reloads the rules."""
    from mailguard.app import serve as run  # noqa: PLC0415

    raise typer.Exit(run(config))


@verbs.command()
def status(config: Config = None, as_json: AsJson = False) -> None:
    """Running or not, what is held, what is overdue, and the rules in force."""
    answer = need(ask(config, {"verb": "status"}), as_json=as_json)
    if as_json:
        print_json(answer["status"])
        return
    from mailguard.cli import render  # noqa: PLC0415

    render.status(cast("dict[str, Any]", answer["status"]))


@verbs.command("check-config")
def check_config(config: Config = None, as_json: AsJson = False) -> None:
    """Read both files and tell every error at once: file, line, key, what was expected."""
    from mailguard.edge.config import check_config as check  # noqa: PLC0415

    faults = [str(fault) for fault in check(config)]
    if as_json:
        print_json({"ok": not faults, "errors": faults})
    elif faults:
        sys.stderr.write("\n".join(faults) + "\n")
    else:
        sys.stdout.write("The configuration is good.\n")
    raise typer.Exit(2 if faults else 0)


@verbs.command()
def queue(
    config: Config = None,
    as_json: AsJson = False,
    state: Annotated[list[str] | None, typer.Option(metavar="STATE", help="Only these states.")] = None,
    sender: Annotated[str, typer.Option(metavar="ADDRESS", help="Only mail from this sender.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Finished messages too.")] = False,
    limit: Annotated[int, typer.Option(metavar="N", help="At most this many; 0 means all.", min=0)] = 0,
) -> None:
    """The messages that are not finished, next to leave first."""
    request = {"verb": "queue", "states": state or [], "sender": sender, "all": everything, "limit": limit}
    answer = need(ask(config, request), as_json=as_json)
    messages = cast("list[dict[str, Any]]", answer["messages"])
    if as_json:
        print_json(messages)
        return
    from mailguard.cli import render  # noqa: PLC0415

    render.queue(messages, datetime.now(UTC))


@verbs.command()
def show(
    id: Id,
    config: Config = None,
    as_json: AsJson = False,
    raw: Annotated[bool, typer.Option("--raw", help="Its bytes as received, and nothing else.")] = False,
) -> None:
    """One message: envelope, why it is held, findings, history."""
    answer = need(ask(config, {"verb": "raw" if raw else "show", "id": id}), as_json=as_json)
    if raw:
        sys.stdout.buffer.write(base64.b64decode(str(answer["content"])))
        return
    if as_json:
        print_json(answer["message"])
        return
    from mailguard.cli import render  # noqa: PLC0415

    render.show(cast("dict[str, Any]", answer["message"]), datetime.now(UTC))


@verbs.command()
def cancel(
    ids: Ids,
    config: Config = None,
    as_json: AsJson = False,
    to: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Drop only this recipient (repeatable).")
    ] = None,
) -> None:
    """Stop a message for good, or drop only the named recipients and let the rest go on."""
    end([ask(config, {"verb": "cancel", "id": id, "to": to or []}) for id in ids], as_json=as_json)


@verbs.command()
def restore(ids: Ids, config: Config = None, as_json: AsJson = False) -> None:
    """Take a cancel back: held again, its delay counted from now."""
    end([ask(config, {"verb": "restore", "id": id}) for id in ids], as_json=as_json)


@verbs.command()
def release(ids: Ids, config: Config = None, as_json: AsJson = False) -> None:
    """Send it now."""
    end([ask(config, {"verb": "release", "id": id}) for id in ids], as_json=as_json)


@verbs.command()
def confirm(ids: Ids, config: Config = None, as_json: AsJson = False) -> None:
    """Say yes to a message that waits for its sender; it leaves when its delay has run."""
    end([ask(config, {"verb": "confirm", "id": id}) for id in ids], as_json=as_json)


@verbs.command()
def extend(
    id: Id,
    config: Config = None,
    as_json: AsJson = False,
    by: Annotated[str, typer.Option("--by", metavar="DURATION", help="So much longer: 10m, 2h.")] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="Until then: 18:30, or ISO 8601.")
    ] = "",
) -> None:
    """Ask for more time."""
    request: dict[str, object] = {"verb": "extend", "id": id}
    if bool(by) == bool(until):
        raise typer.BadParameter("give either --by or --until")
    try:
        if by:
            request["by_seconds"] = when.duration(by).total_seconds()
        else:
            request["until"] = when.moment(until, datetime.now(UTC)).isoformat()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    end([ask(config, request)], as_json=as_json, single=True)


@verbs.command()
def freeze(ids: Ids, config: Config = None, as_json: AsJson = False) -> None:
    """Stop the clock of a held message."""
    end([ask(config, {"verb": "freeze", "id": id}) for id in ids], as_json=as_json)


@verbs.command()
def thaw(ids: Ids, config: Config = None, as_json: AsJson = False) -> None:
    """Start the clock again; what was left of the delay runs from now."""
    end([ask(config, {"verb": "thaw", "id": id}) for id in ids], as_json=as_json)


@verbs.command()
def approve(id: Id, config: Config = None, as_json: AsJson = False) -> None:
    """Approve a message that waits for a second pair of eyes."""
    end([ask(config, {"verb": "approve", "id": id})], as_json=as_json, single=True)


@verbs.command()
def reject(
    id: Id,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Its sender will read it.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Refuse a message that waits for approval; it goes back to its sender with the reason."""
    end([ask(config, {"verb": "reject", "id": id, "reason": reason})], as_json=as_json, single=True)


@verbs.command()
def reload(config: Config = None, as_json: AsJson = False) -> None:
    """Read the rules again; a bad file changes nothing."""
    end([ask(config, {"verb": "reload"})], as_json=as_json, single=True)


@verbs.command("try")
def try_(
    file: Annotated[Path, typer.Argument(metavar="FILE.eml", exists=True, dir_okay=False)],
    config: Config = None,
    as_json: AsJson = False,
    sender: Annotated[str, typer.Option("--from", metavar="ADDRESS", help="The envelope sender.")] = "",
    to: Annotated[list[str] | None, typer.Option("--to", metavar="ADDRESS", help="A recipient.")] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FILE", exists=True, dir_okay=False, help="Other rules.")
    ] = None,
) -> None:
    """What would happen to this message, and why; nothing is stored."""
    # A file on disk mostly has bare LF; on the wire every line ends in CRLF.
    content = file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    request: dict[str, object] = {
        "verb": "try",
        "content": base64.b64encode(content).decode("ascii"),
        "from": sender,
        "to": to or [],
    }
    if rules is not None:
        request |= {"rules": rules.read_text(encoding="utf-8"), "rules_file": str(rules)}
    answer = need(ask(config, request), as_json=as_json)
    if as_json:
        print_json(answer["verdict"])
        return
    from mailguard.cli import render  # noqa: PLC0415

    render.verdict(cast("dict[str, Any]", answer["verdict"]))


@verbs.command()
def doctor(config: Config = None, as_json: AsJson = False) -> None:
    """What is wrong with this installation, and the mend for each."""
    from mailguard.cli import examination  # noqa: PLC0415

    ailments = examination.ailments(config)
    if as_json:
        print_json([{"problem": one.problem, "mend": one.mend} for one in ailments])
    else:
        sys.stdout.write("".join(f"{one}\n" for one in ailments) or "All is well.\n")
    raise typer.Exit(2 if ailments else 0)

"""The verbs, one function each; their docstrings are the help that people read.

A module that is wanted by one verb only is imported by that verb: all the others start without it.
"""

import base64
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import click

from mailguard.cli import listing, options, when
from mailguard.cli.asking import ask
from mailguard.cli.detect import detect
from mailguard.cli.ending import Json, end, need, print_json, told
from mailguard.cli.memory import forget, learn
from mailguard.cli.outward import edit, notify
from mailguard.cli.remote import login, logout
from mailguard.cli.tokens import tokens
from mailguard.cli.users import users
from mailguard.core.told import Told

EXIT_CODES = (
    "Exit codes: 0 done, 1 a fault of ours, 2 usage or configuration, 3 no such message, "
    "4 too late, 5 not yours, 75 try again later."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.version_option(package_name="mailguard", prog_name="mailguard")
def verbs() -> None:
    """Holds outgoing mail for a moment, so that a wrong recipient can still be stopped.

    The verbs work while the guard runs and while it is stopped. ID is a message id, or enough of its
    beginning.
    """


verbs.add_command(users)
verbs.add_command(detect)
verbs.add_command(learn)
verbs.add_command(forget)
verbs.add_command(notify)
verbs.add_command(edit)
verbs.add_command(tokens)
verbs.add_command(login)
verbs.add_command(logout)


def main() -> None:
    """The program `mailguard`. A fault of ours ends in one line, unless MAILGUARD_TRACE asks for all."""
    try:
        verbs(prog_name="mailguard")
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
@options.config
def serve(config: Path | None) -> None:
    """Run the guard in the foreground. SIGTERM ends it cleanly, SIGHUP reloads the rules."""
    from mailguard.app import serve as run  # noqa: PLC0415

    sys.exit(run(config))


@verbs.command()
@options.common
def status(config: Path | None, as_json: bool) -> None:
    """Running or not, what is held, what is overdue, and the rules in force."""
    answer = need(ask(config, {"verb": "status"}), as_json=as_json)
    if as_json:
        print_json(answer["status"])
        return
    from mailguard.cli import render  # noqa: PLC0415

    render.status(cast("dict[str, Any]", answer["status"]))


@verbs.command("check-config")
@options.common
def check_config(config: Path | None, as_json: bool) -> None:
    """Read both files and tell every error at once: file, line, key, what was expected."""
    from mailguard.edge.config import RulesFile, load_settings  # noqa: PLC0415
    from mailguard.edge.config import check_config as check  # noqa: PLC0415

    faults = [str(fault) for fault in check(config)]
    # What is no error, but worth a second look.
    rules = None if faults else RulesFile.load(load_settings(config).rules_file)
    remarks = [] if rules is None else [str(remark) for remark in rules.remarks]
    if as_json:
        print_json({"ok": not faults, "errors": faults, "remarks": remarks})
    else:
        sys.stderr.write("".join(f"{line}\n" for line in (*faults, *remarks)))
        sys.stdout.write("" if faults else "The configuration is good.\n")
    sys.exit(2 if faults else 0)


@verbs.command()
@options.common
@click.option("--state", "states", metavar="STATE", multiple=True, help="Only this state (repeatable).")
@click.option("--sender", metavar="ADDRESS", default="", help="Only mail from this sender.")
@click.option("--all", "everything", is_flag=True, help="Finished messages too.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="At most this many.")
def queue(
    config: Path | None,
    as_json: bool,
    states: tuple[str, ...],
    sender: str,
    everything: bool,
    limit: int | None,
) -> None:
    """The messages that are not finished, next to leave first."""
    request = {"verb": "queue", "states": list(states), "sender": sender, "all": everything}

    def asked(page: Json) -> Json:
        answer = ask(config, page)
        lost = page["after"] is not None and told(answer) is Told.NO_SUCH_MESSAGE
        return answer if lost else need(answer, as_json=as_json)

    found = listing.pages(asked, request, limit)
    if as_json:
        listing.print_array(found)
        return
    from mailguard.cli import render  # noqa: PLC0415

    render.queue(found, datetime.now(UTC))


@verbs.command()
@options.common
@options.message_id
@click.option("--raw", is_flag=True, help="Its bytes as received, and nothing else.")
def show(config: Path | None, as_json: bool, id: str, raw: bool) -> None:
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
@options.common
@options.message_ids
@click.option("--to", metavar="ADDRESS", multiple=True, help="Drop only this recipient (repeatable).")
def cancel(config: Path | None, as_json: bool, ids: tuple[str, ...], to: tuple[str, ...]) -> None:
    """Stop a message for good, or drop only the named recipients and let the rest go on."""
    end([ask(config, {"verb": "cancel", "id": id, "to": list(to)}) for id in ids], as_json=as_json)


@verbs.command()
@options.common
@options.message_ids
def restore(config: Path | None, as_json: bool, ids: tuple[str, ...]) -> None:
    """Take a cancel back: held again, its delay counted from now."""
    end([ask(config, {"verb": "restore", "id": id}) for id in ids], as_json=as_json)


@verbs.command()
@options.common
@options.message_ids
def release(config: Path | None, as_json: bool, ids: tuple[str, ...]) -> None:
    """Send it now."""
    end([ask(config, {"verb": "release", "id": id}) for id in ids], as_json=as_json)


@verbs.command()
@options.common
@options.message_ids
def confirm(config: Path | None, as_json: bool, ids: tuple[str, ...]) -> None:
    """Say yes to a message that waits for its sender; it leaves when its delay has run."""
    end([ask(config, {"verb": "confirm", "id": id}) for id in ids], as_json=as_json)


@verbs.command()
@options.common
@options.message_id
@click.option("--by", metavar="DURATION", help="So much longer: 10m, 2h.")
@click.option("--until", metavar="TIME", help="Until then: 18:30, or ISO 8601.")
def extend(config: Path | None, as_json: bool, id: str, by: str | None, until: str | None) -> None:
    """Ask for more time."""
    request: dict[str, object] = {"verb": "extend", "id": id}
    try:
        if by and not until:
            request["by_seconds"] = when.duration(by).total_seconds()
        elif until and not by:
            request["until"] = when.moment(until, datetime.now(UTC)).isoformat()
        else:
            raise click.UsageError("give either --by or --until")
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    end([ask(config, request)], as_json=as_json, single=True)


@verbs.command()
@options.common
@options.message_ids
def freeze(config: Path | None, as_json: bool, ids: tuple[str, ...]) -> None:
    """Stop the clock of a held message."""
    end([ask(config, {"verb": "freeze", "id": id}) for id in ids], as_json=as_json)


@verbs.command()
@options.common
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that are frozen; see queue --state frozen.")
def thaw(config: Path | None, as_json: bool, ids: tuple[str, ...], everything: bool) -> None:
    """Start the clock again; what was left of the delay runs from now."""
    if bool(ids) is everything:
        raise click.UsageError("give either ids or --all")
    if everything:
        answer = need(ask(config, {"verb": "queue", "states": ["frozen"]}), as_json=as_json)
        ids = tuple(message["id"] for message in cast("list[dict[str, Any]]", answer["messages"]))
    end([ask(config, {"verb": "thaw", "id": id}) for id in ids], as_json=as_json)


@verbs.command()
@options.common
@options.message_id
def approve(config: Path | None, as_json: bool, id: str) -> None:
    """Approve a message that waits for a second pair of eyes."""
    end([ask(config, {"verb": "approve", "id": id})], as_json=as_json, single=True)


@verbs.command()
@options.common
@options.message_id
@click.option("--reason", metavar="TEXT", required=True, help="Its sender will read it.")
def reject(config: Path | None, as_json: bool, id: str, reason: str) -> None:
    """Refuse a message that waits for approval; it goes back to its sender with the reason."""
    end([ask(config, {"verb": "reject", "id": id, "reason": reason})], as_json=as_json, single=True)


@verbs.command()
@options.common
def page(config: Path | None, as_json: bool) -> None:
    """Print a link that opens the page as the admin of this machine, once, within an hour."""
    answer = need(ask(config, {"verb": "page"}), as_json=as_json)
    if as_json:
        print_json({"link": answer["link"]})
    else:
        sys.stdout.write(f"{answer['link']}\n")


@verbs.command()
@options.common
def reload(config: Path | None, as_json: bool) -> None:
    """Read the rules again; a bad file changes nothing."""
    end([ask(config, {"verb": "reload"})], as_json=as_json, single=True)


@verbs.command()
@options.common
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Take the place of a file that is there.")
def backup(config: Path | None, as_json: bool, file: Path, force: bool) -> None:
    """Copy the queue into one file, while mail goes on; docs/howto/backup.md tells how to put it back."""
    from mailguard.cli.copying import back_up  # noqa: PLC0415

    answer = need(back_up(config, file, force=force), as_json=as_json)
    if as_json:
        print_json(answer["backup"])
    else:
        end([answer], as_json=False)


@verbs.command("migrate-store")
@options.common
@click.option("--to", "url", metavar="URL", default="", help="postgresql://user@host/database")
@click.option("--to-file", metavar="FILE", type=options.READABLE, help="A file with the URL, for a password.")
def migrate_store(config: Path | None, as_json: bool, url: str, to_file: Path | None) -> None:
    """Move the queue of a stopped guard from SQLite into an empty PostgreSQL database."""
    from mailguard.cli.moving import migrate  # noqa: PLC0415

    if bool(url) is bool(to_file):
        raise click.UsageError("say where to: --to URL, or --to-file FILE")
    where = url or (to_file.read_text("utf-8").partition("\n")[0].strip() if to_file else "")
    answer = need(migrate(config, where), as_json=as_json)
    if as_json:
        print_json(answer["moved"])
    else:
        end([answer], as_json=False)


@verbs.command("try")
@options.common
@click.argument("file", metavar="FILE.eml", type=options.READABLE)
@click.option("--from", "sender", metavar="ADDRESS", default="", help="The envelope sender.")
@click.option("--to", metavar="ADDRESS", multiple=True, help="A recipient (repeatable).")
@click.option("--rules", metavar="FILE", type=options.READABLE, help="Other rules than those in force.")
def try_(
    config: Path | None, as_json: bool, file: Path, sender: str, to: tuple[str, ...], rules: Path | None
) -> None:
    """What would happen to this message, and why; nothing is stored."""
    # A file on disk mostly has bare LF; on the wire every line ends in CRLF.
    content = file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    request: dict[str, object] = {
        "verb": "try",
        "content": base64.b64encode(content).decode("ascii"),
        "from": sender,
        "to": list(to),
    }
    answer = need(ask(config, {**request, **_other_rules(rules)}), as_json=as_json)
    if as_json:
        print_json(answer["verdict"])
        return
    from mailguard.cli import render  # noqa: PLC0415

    render.verdict(cast("dict[str, Any]", answer["verdict"]))


@verbs.command()
@options.common
@click.option("--since", metavar="DURATION", default="30d", show_default=True, help="How far back: 7d, 12h.")
@click.option("--rules", metavar="FILE", type=options.READABLE, help="Other rules than those in force.")
def replay(config: Path | None, as_json: bool, since: str, rules: Path | None) -> None:
    """What these rules would have done with the mail that went through."""
    try:
        begin = datetime.now(UTC) - when.duration(since)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from error
    request: dict[str, object] = {"verb": "replay", "since": begin.isoformat()}
    answer = need(ask(config, {**request, **_other_rules(rules)}), as_json=as_json)
    if as_json:
        print_json(answer["replay"])
        return
    from mailguard.cli import render  # noqa: PLC0415

    render.replay(cast("dict[str, Any]", answer["replay"]))


def _other_rules(rules: Path | None) -> dict[str, object]:
    """The text of a rules file, as a part of a request."""
    if rules is None:
        return {}
    return {"rules": rules.read_text(encoding="utf-8", errors="surrogateescape"), "rules_file": str(rules)}


@verbs.command()
@options.common
def doctor(config: Path | None, as_json: bool) -> None:
    """What is wrong with this installation, and the mend for each."""
    from mailguard.cli import examination, render  # noqa: PLC0415

    found = examination.examined(config)
    ailments = found.ailments
    if as_json:
        print_json([{"problem": one.problem, "mend": one.mend} for one in ailments])
    else:
        sys.stdout.write("".join(f"{one}\n" for one in ailments) or "All is well.\n")
        sys.stdout.write("".join(f"guard {render.node(one)}\n" for one in found.nodes))
    sys.exit(2 if ailments else 0)

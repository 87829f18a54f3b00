"""What goes out of the guard besides mail: `notify` shows and tries those who are told what happens, `edit`
hands a message back as a draft."""

import base64
import sys
from pathlib import Path
from typing import Any, cast

import click

from mailguard.cli import options
from mailguard.cli.asking import ask
from mailguard.cli.ending import end, exit_code, need, print_json, say
from mailguard.core.told import Told


@click.command()
@options.common
@click.argument("name", metavar="[NAME]", default="", required=False)
@click.option("--test", is_flag=True, help="Tell it now that this is a test.")
def notify(config: Path | None, as_json: bool, name: str, test: bool) -> None:
    """Whom outside the guard tells what happens, and how it stands with each."""
    answer = ask(config, {"verb": "notify", "name": name, "test": test})
    if answer["told"] != Told.TRY_LATER.value or "targets" not in answer:
        need(answer, as_json=as_json)
    targets = cast("list[dict[str, Any]]", answer["targets"])
    if as_json:
        print_json(targets)
        sys.exit(exit_code([answer]))
    for target in targets:
        say({"told": _word(target), "text": _line(target)})
    if not targets:
        sys.stdout.write("Nobody outside is told; [[notify]] in mailguard.toml names whom to tell.\n")
    sys.exit(exit_code([answer]))


@click.command()
@options.common
@options.message_id
@click.option("--drafts", is_flag=True, help="Into its sender's folder of drafts ([drafts]).")
def edit(config: Path | None, as_json: bool, id: str, drafts: bool) -> None:
    """Stop a message and have it back as a draft, to mend it and send it again: an .eml on the output."""
    answer = ask(config, {"verb": "edit", "id": id, "drafts": drafts})
    if as_json:
        end([answer], as_json=True, single=True)
    need(answer, as_json=False)
    from mailguard.cli import render  # noqa: PLC0415

    # Where it goes into a file, the sentence must not.
    sys.stderr.write(render.clean(answer["text"]) + "\n")
    if content := answer.get("content"):
        sys.stdout.buffer.write(base64.b64decode(str(content)))
    # What could not be put into the folder is here, and not there.
    sys.exit(Told.TRY_LATER.exit_code if drafts and not answer.get("folder") else 0)


def _word(target: dict[str, Any]) -> str:
    return (Told.TRY_LATER if target.get("ok") is False else Told.DONE).value


def _line(target: dict[str, Any]) -> str:
    if "ok" in target:
        return f"{target['name']}: {'told' if target['ok'] else target['fault']}"
    parts = [f"{target['waiting']} waiting", f"{target['given_up']} given up"]
    if target["fault"]:
        parts.append(f"the last fault: {target['fault']}")
    return f"{target['name']}: {', '.join(parts)}"

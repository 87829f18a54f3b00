"""`mailguard learn` and `mailguard forget`: give the memory years of mail at once, and take a person out."""

import sys
from pathlib import Path

import click

from mailguard.cli import options
from mailguard.cli.asking import ask, faults_told
from mailguard.cli.ending import end, print_json
from mailguard.core.told import Told


@click.command()
@options.common
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option(
    "--sent-by", metavar="ADDRESS", multiple=True, help="Only mail that this one wrote (repeatable)."
)
def learn(config: Path | None, as_json: bool, paths: tuple[Path, ...], sent_by: tuple[str, ...]) -> None:
    """Learn from mail of earlier years, so that the checks know who writes to whom.

    PATH is an mbox file, a Maildir, a folder of .eml files, or one of them; folders are searched through.
    All mail counts, sent and incoming; drafts, junk and what programs wrote do not. No text is kept: only
    addresses, times, and digests of words. Started again after a stop it goes on where it was, and the same
    mail is learnt once.
    """
    from mailguard.cli.learning import learnt  # noqa: PLC0415
    from mailguard.core import address  # noqa: PLC0415

    authors = frozenset(map(address.normal, sent_by))
    answer = faults_told(lambda: learnt(config, paths, authors, quiet=as_json))
    if as_json and answer["told"] == Told.DONE.value:
        print_json(answer["learnt"])
        return
    end([answer], as_json=as_json, single=True)


@click.command()
@options.common
@click.argument("who", metavar="ADDRESS")
@click.option("--yes", is_flag=True, help="Do not ask before.")
def forget(config: Path | None, as_json: bool, who: str, yes: bool) -> None:
    """Take a person out of all that was learnt: habits, threads, and what was confirmed.

    What is in the queue and its history stays until its own time is over (`keep` in rules.toml).
    """
    question = f"Forget all that was learnt about {who}? It cannot be taken back"
    if not yes and not click.confirm(question, err=True):
        sys.exit(1)
    end([ask(config, {"verb": "forget", "address": who})], as_json=as_json, single=True)

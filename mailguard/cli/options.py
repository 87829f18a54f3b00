"""What many verbs share: where the configuration is, and whether JSON is wanted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


def config(verb: F) -> F:
    """`--config PATH`."""
    return click.option(
        "--config",
        metavar="PATH",
        type=click.Path(path_type=Path),
        help="The configuration file (mailguard.toml).",
    )(verb)


def common(verb: F) -> F:
    """`--config PATH` and `--json`."""
    return config(click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")(verb))


def message_id(verb: F) -> F:
    """One message id."""
    return click.argument("id", metavar="ID")(verb)


def message_ids(verb: F) -> F:
    """One message id or more."""
    return click.argument("ids", metavar="ID...", nargs=-1, required=True)(verb)

"""Which configuration file is meant, and where the guard's state is, found without any library.

The command line asks these two questions before it does anything else, so this module has to be quick.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from mailguard.core.errors import ConfigurationError, Fault
from mailguard.edge.config.toml_source import read_toml

ENVIRONMENT = "MAILGUARD_CONFIG"
STATE_DIR = "var"


def candidates() -> tuple[Path, ...]:
    """Where mailguard.toml is looked for when nobody names it, in this order."""
    here, machine = Path("mailguard.toml"), Path("/etc/mailguard/mailguard.toml")
    try:
        return here, Path("~/.config/mailguard/mailguard.toml").expanduser(), machine
    except RuntimeError:
        # A user without a home directory, as in many a container.
        return here, machine


def find(named: Path | str | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The absolute path of the configuration file, or None for the embedded default.

    Raises ConfigurationError where a file is named, by the caller or by the environment, and is not there.
    """
    if named is not None:
        return _existing(Path(named), str(named), "the path of a file that exists")
    if environ.get(ENVIRONMENT):
        path = Path(environ[ENVIRONMENT])
        return _existing(path, ENVIRONMENT, f"the path of a file that exists, or no {ENVIRONMENT} at all")
    return next((path.absolute() for path in candidates() if path.is_file()), None)


def state_dir(config: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The directory of the queue, the keys and the control socket. `config` is what `find` said.

    Raises ConfigurationError where the file cannot be read.
    """
    if told := environ.get("MAILGUARD_STATE_DIR"):
        return Path(told).expanduser().absolute()
    if config is None:
        return Path.cwd() / STATE_DIR
    source = read_toml(config)
    named = source.data.get("state_dir", STATE_DIR)
    if isinstance(named, str):
        return config.parent / Path(named).expanduser()
    line = source.line(("state_dir",))
    fault = Fault(
        file=str(config), line=line, key="state_dir", problem="is no text", expected="a path in quotes"
    )
    raise ConfigurationError((fault,))


def _existing(path: Path, said_by: str, expected: str) -> Path:
    if path.is_file():
        return path.absolute()
    problem = "there is no such file" if said_by == str(path) else f"there is no file {path}"
    raise ConfigurationError((Fault(file=said_by, line=None, key="", problem=problem, expected=expected),))

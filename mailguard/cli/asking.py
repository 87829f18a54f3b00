"""From a verb to its answer: ask the running guard, or, while it is stopped, the store itself."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from mailguard.core.errors import ConfigurationError, MailguardError, StoreError
from mailguard.core.told import Told
from mailguard.edge import control_client
from mailguard.edge.config import locate

Json = dict[str, object]


def ask(config: Path | None, request: Mapping[str, object]) -> Json:
    """The answer to one request; faults come back as answers too, so that every verb ends the same way."""
    return faults_told(lambda: _ask(config, request))


def faults_told(asked: Callable[[], Json]) -> Json:
    """The answer, or the fault that came instead as an answer."""
    try:
        return asked()
    except ConfigurationError as error:
        return _answer(Told.REFUSED, str(error))
    except (StoreError, control_client.CutOff) as error:
        return _answer(Told.TRY_LATER, str(error))
    except PermissionError as error:
        text = (
            f"{error.filename or 'the state directory'}: not allowed; run this as root or as the guard's user"
        )
        return _answer(Told.NOT_YOURS, text)
    except (MailguardError, OSError) as error:
        return _answer(Told.FAULT, str(error))


def _ask(config: Path | None, request: Mapping[str, object]) -> Json:
    if is_remote(config):
        # Imported here because its library takes a while to load.
        from mailguard.edge import remote  # noqa: PLC0415

        if (known := remote.known()) is not None:
            return remote.ask(known, request)
    socket = locate.state_dir(locate.find(config)) / control_client.SOCKET
    try:
        return control_client.ask(socket, request)
    except control_client.NotRunning:
        # Imported here because a running guard answers without all this.
        from mailguard.app import ask_stopped  # noqa: PLC0415

        return ask_stopped(config, request)


def is_remote(config: Path | None) -> bool:
    """Whether a verb without another word of where is for a guard elsewhere."""
    if config is not None or os.environ.get("MAILGUARD_CONFIG"):
        return False
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return (Path(base).expanduser() / "mailguard" / "remote.json").exists()


def _answer(told: Told, text: str) -> Json:
    return {"told": told.value, "text": text}

"""The two configuration files: where they are, what is in them, and what is wrong with them.

Nothing is imported before it is asked for: the command line starts with `locate` alone, which needs no
library, and must not wait for pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailguard.edge.config.rules_file import RulesFile, parse_rules
    from mailguard.edge.config.settings import Settings, check_config, load_settings

__all__ = ["RulesFile", "Settings", "check_config", "load_settings", "parse_rules"]

_HOMES = {
    "RulesFile": "mailguard.edge.config.rules_file",
    "parse_rules": "mailguard.edge.config.rules_file",
    "Settings": "mailguard.edge.config.settings",
    "check_config": "mailguard.edge.config.settings",
    "load_settings": "mailguard.edge.config.settings",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

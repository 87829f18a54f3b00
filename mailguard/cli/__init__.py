"""The command line: verbs for people and scripts. No logic of its own; heavy parts load when needed."""

from mailguard.cli.main import main

__all__ = ["main"]

"""The one place where the parts are built and joined: program.py, read from the top down, is the program."""

from mailguard.app.program import ask_stopped, serve

__all__ = ["ask_stopped", "serve"]

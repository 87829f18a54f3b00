"""What a sweep tried and found: one line, for whoever runs it and for the documentation.

The line is printed where pytest shows it (-rP, -s), and appended to the file that MAILGUARD_FIGURES names.
"""

import os
from collections.abc import Mapping
from pathlib import Path


def tell(what: str, figures: Mapping[str, int]) -> None:
    """Say it."""
    line = f"{what}: " + ", ".join(f"{count} {name}" for name, count in figures.items())
    print(line)
    if file := os.environ.get("MAILGUARD_FIGURES"):
        with Path(file).open("a", encoding="utf-8") as written:
            written.write(line + "\n")

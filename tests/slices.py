"""How long a long test runs: all of it, or the slice that every change is held against."""

import os


def rounds(full: int, *, slice_of: int) -> int:
    """`full` rounds, or `slice_of` of them where `make test-slow SLICE=1` asks for a slice only."""
    return slice_of if os.environ.get("MAILGUARD_SLICE") == "1" else full

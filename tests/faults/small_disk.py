"""A small file system, and a file that takes the rest of it."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.programs import missing, require

# <linux/sched.h>
CLONE_NEWNS = 0x00020000


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[None]:
    """A file system of so many bytes on this directory, seen by this process and its children only: whatever
    becomes of the test, it is gone with the process."""
    place.mkdir(exist_ok=True)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        missing(f"only root can mount a small file system: {os.strerror(ctypes.get_errno())}")
    mount = require("mount")
    subprocess.run([mount, "--make-rprivate", "/"], check=True)
    subprocess.run([mount, "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", place], check=True)
    try:
        yield
    finally:
        # Lazily: what a failed test has left open must not hide why it failed.
        subprocess.run([require("umount"), "--lazy", place], check=True)

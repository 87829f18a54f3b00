"""Large blocks of memory go back to the system as soon as they are free.

glibc takes them from the system one by one, and keeps to that for those above a threshold; but the
threshold grows to 32 MB with the first large block that is freed (mallopt(3), M_MMAP_THRESHOLD). Then large
messages are put together in the heap, in between what lives long, and the holes that they leave there stay
with the guard: a third more memory than what is in use, after a few of them.
"""

import ctypes

# Of the C library's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
# What is larger is a block of its own: message bytes, never what ordinary mail needs.
LARGE = 1024 * 1024
# What may be free at the end of the heap; setting the other one would leave it at 128 KiB.
_SLACK = 8 * 1024 * 1024


def give_back_large_blocks() -> bool:
    """From now on, in all of this process; False where the C library is another one, which is left alone."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, _SLACK)) and bool(mallopt(_M_MMAP_THRESHOLD, LARGE))

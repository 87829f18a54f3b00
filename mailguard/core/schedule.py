"""When to try again after the upstream said "later" (RFC 5321 section 4.5.4.1)."""

from datetime import timedelta

# Soon at first, because most trouble passes (a restart, greylisting), then ever more slowly.
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 240))

# RFC 5321 section 4.5.4.1: the give-up time generally needs to be at least 4-5 days.
GIVE_UP = timedelta(days=5)


# Where the upstream as a whole is out, it costs it nothing to be asked, and what waits is everybody's mail.
LONGEST_IN_OUTAGE = timedelta(minutes=30)


def next_delay(attempts: int, *, outage: bool = False) -> timedelta:
    """How long to wait after this many attempts (at least one) have failed; `outage` where the last failure
    was none of the message's."""
    delay = DELAYS[min(max(attempts, 1), len(DELAYS)) - 1]
    return min(delay, LONGEST_IN_OUTAGE) if outage else delay

"""What a hold that grows with suspicion costs and stops, against one that is the same for all.

Whoever sent a mail to the wrong one notices after some time, or never; a hold stops the mail if it is longer
than that. The time is taken to be as that of a decay: half of those who notice do so within `half`, half of
the others within as much again, and so on.
"""

from collections.abc import Sequence
from datetime import timedelta
from math import exp, log

from mailguard.core.policy import Risk

FLAT = timedelta(minutes=5)
LEAST = timedelta(seconds=10)
LONGEST = 240


def stopped(holds: Sequence[timedelta], half: timedelta) -> float:
    """Which share of mails is stopped that are held so long."""
    return sum(1 - exp(-log(2) * (hold / half)) for hold in holds) / max(1, len(holds))


def table(right: Sequence[float], wrong: Sequence[float]) -> list[str]:
    """The lines, for messages of which so many of a hundred right ones are as suspect."""
    lines = [f"holds from {_said(LEAST)} on that stop as many wrong mails as {_said(FLAT)} for all:"]
    for minutes in (1, 2, 5):
        half = timedelta(minutes=minutes)
        wanted = stopped([FLAT], half)
        risk = next(
            (
                risk
                for most in range(1, LONGEST)
                if stopped(_holds(risk := Risk(least=LEAST, most=timedelta(minutes=most)), wrong), half)
                >= wanted
            ),
            None,
        )
        begin = f"  half notice within {_said(half)}: {wanted:.2f} stopped; "
        if risk is None:
            lines.append(begin + f"not reached with {LONGEST} minutes")
            continue
        holds = sorted(_holds(risk, right))
        mean = sum(holds, timedelta()) / len(holds)
        lines.append(
            begin
            + f"at most {_said(risk.most)}; right mail waits {_said(holds[len(holds) // 2])} at the median, "
            + f"{_said(mean)} on average, {_said(holds[int(0.9 * len(holds))])} at 90 %"
        )
    return lines


def _holds(risk: Risk, rates: Sequence[float]) -> list[timedelta]:
    return [risk.delay(10 * rate) for rate in rates]


def _said(time: timedelta) -> str:
    seconds = round(time.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:.1f} min"

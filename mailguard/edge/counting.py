"""Counts what the operator's log is told, and how long clients waited; no address, no id, no text is kept."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

from mailguard.ports import Log

# Seconds; the upper ends of the ranges in which waits are counted.
RANGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Waits:
    """How often something took how long."""

    def __init__(self) -> None:
        self._counts = [0] * (len(RANGES) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """It took so long once more."""
        self._counts[bisect_left(RANGES, seconds)] += 1
        self.total += seconds

    def up_to(self) -> list[tuple[str, float]]:
        """How many took at most so long, as Prometheus wants to hear it."""
        told: list[tuple[str, float]] = []
        count = 0
        for end, more in zip((*map(str, RANGES), "+Inf"), self._counts, strict=True):
            count += more
            told.append((end, float(count)))
        return told


class CountingLog:
    """ports.Log that passes everything on."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._events: Counter[str] = Counter()
        self._troubles: Counter[str] = Counter()
        self._findings: Counter[str] = Counter()
        self.accepts = Waits()

    def event(self, name: str, /, **fields: object) -> None:
        """Something happened."""
        self._events[name] += 1
        findings = fields.get("findings")
        if name == "received" and isinstance(findings, list | tuple):
            self._findings.update(str(code) for code in findings)
        self._log.event(name, **fields)

    def trouble(self, name: str, /, **fields: object) -> None:
        """Something went wrong."""
        self._troubles[name] += 1
        self._log.trouble(name, **fields)

    @property
    def events(self) -> Mapping[str, int]:
        """How often each happened: names of our own, none from outside."""
        return self._events

    @property
    def troubles(self) -> Mapping[str, int]:
        """How often each went wrong."""
        return self._troubles

    @property
    def findings(self) -> Mapping[str, int]:
        """How often each check found something."""
        return self._findings

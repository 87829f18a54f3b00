"""`/metrics`, as Prometheus reads it: counts and times, no address, no subject, no id."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from mailguard.edge.web.parts import Counts

# What a mail goes through, by the names that the log has for it.
_MAIL = {
    "received": "Messages that were taken.",
    "refused": "Messages that a rule refused.",
    "taken": "Recipients that the outgoing server took.",
    "later": "Recipients that the outgoing server put off.",
    "never": "Recipients that the outgoing server refused.",
    "bounced": "Messages that went back to their sender.",
    "cancel": "Cancels.",
    "resubmitted": "Messages that were handed in again.",
}


class Snapshot(Collector):
    """One scrape: what `status` answered (None where the store did not), and what was counted."""

    def __init__(
        self, status: Mapping[str, Any] | None, counts: Counts, now: datetime, store_seconds: float
    ) -> None:
        self._status = status
        self._counts = counts
        self._now = now
        self._store_seconds = store_seconds

    def collect(self) -> Iterator[Metric]:
        """The families, in the order in which they are read."""
        yield _gauge("mailguard_up", "Whether the store answered.", float(self._status is not None))
        yield _gauge(
            "mailguard_store_answer_seconds", "How long the store took to answer.", self._store_seconds
        )
        if self._status is not None:
            yield from self._queue(self._status)
        yield from self._counted()

    def _queue(self, status: Mapping[str, Any]) -> Iterator[Metric]:
        states = GaugeMetricFamily("mailguard_messages", "Messages in each state.", labels=["state"])
        for state, count in status["messages"].items():
            states.add_metric([state], count)
        yield states
        yield _gauge("mailguard_overdue", "Messages that should have left already.", status["overdue"])
        oldest = status["oldest_overdue"]
        late = 0.0 if oldest is None else (self._now - datetime.fromisoformat(oldest)).total_seconds()
        yield _gauge("mailguard_oldest_overdue_seconds", "How late the latest of them is.", max(0.0, late))
        yield _gauge("mailguard_rules", "Rules in force.", len(status["rules"]))
        yield _gauge(
            "mailguard_rules_not_taken",
            "Whether the rules file has an error, and older rules are in force.",
            float(bool(status["reload_errors"])),
        )
        troubles = status.get("troubles", ())
        yield _gauge(
            "mailguard_troubles", "Parts of the machine that something is wrong with.", len(troubles)
        )

    def _counted(self) -> Iterator[Metric]:
        counts = self._counts
        for name, text in _MAIL.items():
            yield CounterMetricFamily(f"mailguard_mail_{name}", text, value=counts.events.get(name, 0))
        for family, label, text, counted in (
            ("mailguard_events", "event", "What happened, by its name in the log.", counts.events),
            (
                "mailguard_troubles_logged",
                "trouble",
                "What went wrong, by its name in the log.",
                counts.troubles,
            ),
            (
                "mailguard_findings",
                "check",
                "What each check found in messages that were taken.",
                counts.findings,
            ),
        ):
            metric = CounterMetricFamily(family, text, labels=[label])
            for name, count in sorted(counted.items()):
                metric.add_metric([name], count)
            yield metric
        yield HistogramMetricFamily(
            "mailguard_accept_seconds",
            "How long a client waited for the answer to its last dot, from the last byte on.",
            buckets=counts.accepts.up_to(),
            sum_value=counts.accepts.total,
        )


def text_of(snapshot: Snapshot) -> bytes:
    """The exposition text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(snapshot)
    return generate_latest(registry)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)

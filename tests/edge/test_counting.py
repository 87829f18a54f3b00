"""What the log was told is counted, and nothing of what it was told is kept."""

from mailguard.edge.counting import CountingLog, Waits
from tests.edge.store.samples import RecordingLog


def test_events_are_counted_by_name_and_passed_on() -> None:
    inner = RecordingLog()
    log = CountingLog(inner)
    log.event("received", id="k7", to=["a@corp.example"], findings=["first_contact", "first_contact"])
    log.event("received", id="k8")
    log.event("cancel", findings=["no_check"])
    log.trouble("store_error", fault="secret")
    assert log.events == {"received": 2, "cancel": 1}
    assert log.troubles == {"store_error": 1}
    assert log.findings == {"first_contact": 2}
    kept = repr(vars(log) | {"_log": None})
    for text in ("k7", "a@corp.example", "secret"):
        assert text not in kept


def test_waits_are_counted_in_ranges() -> None:
    waits = Waits()
    for seconds in (0.001, 0.05, 0.3, 60.0):
        waits.add(seconds)
    told = dict(waits.up_to())
    assert (told["0.005"], told["0.05"], told["0.5"], told["5.0"], told["+Inf"]) == (1, 2, 3, 3, 4)
    assert waits.total == 60.351

import pytest

from mailguard.core.recall.calibration import Calibration
from mailguard.core.recall.trees import parse
from tests.core.recall.test_trees import MODEL

USUAL = {"relay": [[10, -2.0], [1, 0.0], [0.1, 2.0]], "list": [[10, -1.0], [1, 1.0], [0.1, 3.0]]}
TREES = parse({**MODEL, "usual": USUAL}, ["a", "b"])


def test_at_first_the_places_of_the_training_decide() -> None:
    fresh = Calibration(TREES)
    assert fresh.rate(0.0, 0.0) == pytest.approx(1)
    assert fresh.rate(1.0, 1.0) == pytest.approx(1)
    assert 1 < fresh.rate(0.0, 0.3) < fresh.rate(0.0, 1.0)


def test_more_suspect_is_always_rarer() -> None:
    fresh = Calibration(TREES)
    rates = [fresh.rate(score / 10, 0.2) for score in range(-100, 100)]
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] < rates[0] <= 100


def test_a_places_own_mail_takes_over() -> None:
    here = Calibration(TREES)
    for number in range(4000):
        # Everything looks worse here: one in ten scores 0.
        here.passed(0.0 if number % 10 == 0 else -3.0)
    assert 8 < here.rate(0.0, 0.0) < 10
    assert here.rate(1.0, 0.0) < 0.5


def test_only_the_latest_mails_of_a_place_count() -> None:
    here = Calibration(TREES)
    for score in (*[5.0] * 1000, *[-3.0] * 4000):
        here.passed(score)
    same = Calibration(TREES)
    for _ in range(4000):
        same.passed(-3.0)
    assert here.rate(4.0, 0.0) == same.rate(4.0, 0.0)
    assert here.rate(-3.0, 0.0) == same.rate(-3.0, 0.0)

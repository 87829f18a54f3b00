"""The whole queue against its ledger: a few hundred steps on every change, thousands in the long run."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import GuardMachine
from tests.slices import rounds

# On a busy machine one step can take long; it is the number of steps that is bounded.
QUIET = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)


def walk(examples: int, steps: int) -> None:
    """So many queues, so many steps each."""
    how = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=QUIET,
        phases=(Phase.generate, Phase.shrink),
        derandomize=os.environ.get("MAILGUARD_DICE") is None,
    )
    run_state_machine_as_test(GuardMachine, settings=how)


def test_the_guard_and_the_ledger_agree() -> None:
    walk(20, 40)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_the_guard_and_the_ledger_agree_for_long() -> None:
    walk(rounds(4000, slice_of=100), 60)

"""Mail that is made to be slow to read costs little, and twice as much of it twice as much."""

import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import pytest

from mailguard.core.body import read_body
from mailguard.core.facts import Headers
from mailguard.core.judge import judge
from mailguard.core.message import read_headers, several_authors, split
from mailguard.core.outgoing import loops, without_hidden
from mailguard.core.policy import Policy
from tests.content.bombs import ALL, BODIES, HEADERS
from tests.facts import facts, policy
from tests.slices import rounds

KIB = 1024
# Seconds of processor time for one message of any construct; really measured are a few hundredths.
BUDGET = 2.0

CURIOUS = """
[[rule]]
name = "curious"
when = { body = ["/(a+)+$/", "salary*"], subject = "x", visible_external_over = 5 }
unless = { attachment = "*.xls*", header = { X-Any = ["y", "/(.*)*z/"] } }
delay = "5m"
"""


def rules() -> Policy:
    """Rules that look at everything, and every check."""
    return policy(CURIOUS, checks="")


def everything(content: bytes, rules: Policy) -> Headers:
    """All that happens to a message on its way in and out."""
    headers, body = read_headers(content), read_body(content)
    header, _ = split(content)
    several_authors(header)
    loops(header, "guard.corp.example")
    without_hidden(header)
    judge(facts(headers=headers, body=body, own=("a@corp.example",)), rules)
    return headers


def cost(run: Callable[[], object]) -> float:
    """Seconds of processor time, the least of three runs: other work shares the machine."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
        if taken[-1] < 0.01:
            break
    return min(taken)


# Each third of them here; all of them in the long run.
@pytest.mark.parametrize(
    "construct",
    [pytest.param(one, marks=() if place % 3 == 0 else pytest.mark.slow) for place, one in enumerate(ALL)],
)
def test_every_construct_is_read_within_its_budget(construct: str) -> None:
    content, known = ALL[construct](100 * KIB), rules()
    start = time.process_time()
    everything(content, known)
    assert time.process_time() - start < BUDGET / 2


@pytest.mark.parametrize("construct", HEADERS)
def test_a_header_that_is_not_read_to_its_end_is_flagged(construct: str) -> None:
    assert not read_headers(HEADERS[construct](200 * KIB)).readable


@pytest.mark.parametrize(
    "construct",
    ["deep nesting", "very many parts", "dashes that are no boundary", "a domain of one long label"],
)
def test_a_bound_that_was_met_is_said(construct: str) -> None:
    content = ALL[construct](2000 * KIB)
    assert not (read_body(content).readable and read_headers(content).readable)


@pytest.mark.slow
@pytest.mark.parametrize("construct", ALL)
def test_twice_the_size_takes_about_twice_the_time(construct: str) -> None:
    make, known = ALL[construct], rules()
    sizes = [256 * KIB, 512 * KIB] if rounds(2, slice_of=1) == 1 else [KIB << power for power in range(6, 13)]
    costs = [cost(partial(everything, make(size), known)) for size in sizes]
    assert costs[-1] < BUDGET
    for smaller, larger in pairwise(costs):
        # Twice is linear, four times is quadratic; what is added lets the noise of short times be.
        assert larger < 3 * smaller + 0.15, [f"{one:.3f}" for one in costs]


@pytest.mark.parametrize(
    "construct", ["HTML tags", "deep nesting", "zeros in base64", "UTF-7", "quoted lines"]
)
def test_reading_needs_no_more_memory_than_some_copies_of_what_is_read(construct: str) -> None:
    content = BODIES[construct](1024 * KIB)
    tracemalloc.start()
    try:
        read_headers(content)
        read_body(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30 * 1024 * KIB

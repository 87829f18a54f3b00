"""Evaluates the learned model, sums of decision trees, in plain Python and in microseconds.

The trees are not walked one by one: every question of all trees is asked at once, feature by feature, and
what it rules out is struck from one long number that has a bit per answer (QuickScorer, Lucchese and others,
SIGIR 2015). What a value rules out is known beforehand for each interval between two limits.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import and_, getitem
from typing import Any
from zlib import crc32

from mailguard.core.value import dataclass

VERSION = 2

# Bits for the answers of one tree.
_WIDTH = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Forest:
    """A sum of trees."""

    # Of each feature that is asked for: its place, the limits in order, and which answers are left for a
    # value beyond so many of them.
    questions: tuple[tuple[int, tuple[float, ...], tuple[int, ...]], ...]
    # Of each tree: its answers by the bit that is left of it.
    answers: tuple[Mapping[int, float], ...]
    # All bits, and the lowest bit of every tree.
    everything: int
    lowest: int

    def score(self, known: array[float]) -> float:
        """The sum for one recipient's evidence, in numbers of 32 bits: the training saw such, and its limits
        stand right beside them."""
        left = self.everything
        for feature, limits, masks in self.questions:
            beyond = bisect_left(limits, known[feature])
            if beyond:
                left &= masks[beyond]
        # The first answer that is left of each tree is the one: to take one away turns only the bits up to
        # it, and none borrows from its neighbour, because some answer is left of every tree.
        first = left & ~(left - self.lowest)
        found = memoryview(first.to_bytes(len(self.answers) * _WIDTH // 8, "little")).cast("I")
        return sum(map(getitem, self.answers, found))


@dataclass(frozen=True, kw_only=True, slots=True)
class Trees:
    """The learned model over the features `names`. `fingerprint` tells one model from another; `usual` is the
    score that so many of 100 clean mails reach, by kind of place and then by rate."""

    fingerprint: int
    names: tuple[str, ...]
    usual: Mapping[str, tuple[tuple[float, float], ...]]
    # How suspect somebody is, over all mails, and who it is among the recipients of one.
    suspects: Forest
    order: Forest

    def score(self, values: Sequence[float]) -> float:
        """How suspect one recipient is: log odds, on the scale of the training data."""
        return self.suspects.score(array("f", values))

    def rank(self, values: Sequence[float]) -> float:
        """Which of several recipients it is: to be compared within one mail alone."""
        return self.order.score(array("f", values))


def parse(data: Mapping[str, Any], names: Sequence[str]) -> Trees:
    """Read a model file's content. Raises ValueError where it was made for other features or another
    version."""
    if data.get("version") != VERSION:
        raise ValueError(
            f"the model has version {data.get('version')}; this mailguard reads version {VERSION}"
        )
    if list(data["names"]) != list(names):
        raise ValueError(
            "the model was trained on other features than this mailguard measures; train it again"
        )
    trees, order = data["trees"], data["order"]
    if any(not len(tree["f"]) == len(tree["v"]) == len(tree["r"]) > 0 for tree in (*trees, *order)):
        raise ValueError("the model file is damaged: its lists have different lengths")
    if any(sum(feature < 0 for feature in tree["f"]) > _WIDTH for tree in (*trees, *order)):
        raise ValueError(f"the model file has a tree of more than {_WIDTH} answers")
    usual = {
        place: tuple((float(rate), float(at)) for rate, at in pairs) for place, pairs in data["usual"].items()
    }
    return Trees(
        fingerprint=crc32(repr([tree["v"] for tree in (*trees, *order)]).encode()),
        names=tuple(names),
        usual=usual,
        suspects=_forest(trees),
        order=_forest(order),
    )


def _forest(trees: Sequence[Mapping[str, Sequence[Any]]]) -> Forest:
    return Forest(
        questions=tuple(_questions(trees)),
        answers=tuple(_answers(tree) for tree in trees),
        everything=_everything(len(trees)),
        lowest=_everything(len(trees)) // _everything(1),
    )


def _everything(trees: int) -> int:
    return (1 << trees * _WIDTH) - 1


def _answers(tree: Mapping[str, Sequence[Any]]) -> dict[int, float]:
    """The answers of one tree, from left to right."""
    leaves = (float(value) for feature, value in zip(tree["f"], tree["v"], strict=True) if feature < 0)
    return {1 << place: value for place, value in enumerate(leaves)}


def _questions(
    trees: Sequence[Mapping[str, Sequence[Any]]],
) -> list[tuple[int, tuple[float, ...], tuple[int, ...]]]:
    """By feature: its limits, and what is left beyond each of them and all before it."""
    everything = _everything(len(trees))
    struck: dict[int, dict[float, int]] = {}
    for number, tree in enumerate(trees):
        # How many answers stand before each place of the file: the left branch follows its question, the
        # right one begins `r` places from the beginning.
        before = (0, *accumulate(feature < 0 for feature in tree["f"]))
        for at, (feature, limit, right) in enumerate(zip(tree["f"], tree["v"], tree["r"], strict=True)):
            if feature >= 0:
                # A value beyond the limit goes to the right: the answers of the left branch are out.
                out = (1 << before[right]) - (1 << before[at + 1])
                limits = struck.setdefault(feature, {})
                limits[limit] = limits.get(limit, everything) & ~(out << number * _WIDTH)
    found = []
    for feature, limits in sorted(struck.items()):
        order = sorted(limits)
        masks = accumulate((limits[limit] for limit in order), and_, initial=everything)
        found.append((feature, tuple(map(float, order)), tuple(masks)))
    return found

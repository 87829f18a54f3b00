"""Evaluates the learned model: a sum of decision trees, in plain Python and in microseconds."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

VERSION = 1

# A tree is its answer, or a question: a feature's place, a limit, and the trees for values at most the limit
# and for greater ones.
Tree = float | tuple[int, float, "Tree", "Tree"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trees:
    """A sum of trees over the features `names`. `fingerprint` tells one model from another; `usual` is the
    score that so many of 100 clean mails reach, by kind of place and then by rate."""

    fingerprint: int
    names: tuple[str, ...]
    base: float
    trees: tuple[Tree, ...]
    usual: Mapping[str, tuple[tuple[float, float], ...]]

    def score(self, values: Sequence[float]) -> float:
        """The sum for one recipient: log odds, on the scale of the training data."""
        # The training saw numbers of 32 bits, and its limits stand right beside them.
        known = array("f", values).tolist()
        total = self.base
        for tree in self.trees:
            node: Any = tree
            while node.__class__ is tuple:
                feature, limit, less, more = node
                node = less if known[feature] <= limit else more
            total += node
        return total


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
    if any(not len(tree["f"]) == len(tree["v"]) == len(tree["r"]) > 0 for tree in data["trees"]):
        raise ValueError("the model file is damaged: its lists have different lengths")
    usual = {
        place: tuple((float(rate), float(at)) for rate, at in pairs) for place, pairs in data["usual"].items()
    }
    return Trees(
        fingerprint=crc32(repr((data["base"], [tree["v"] for tree in data["trees"]])).encode()),
        names=tuple(names),
        base=float(data["base"]),
        trees=tuple(_grown(tree) for tree in data["trees"]),
        usual=usual,
    )


def _grown(tree: Mapping[str, Sequence[Any]]) -> Tree:
    """One tree of the file: the left branch follows its question, the right one stands so many places from
    the beginning of the tree."""
    grown: list[Tree] = []
    features, values, right = tree["f"], tree["v"], tree["r"]
    # Branches stand behind their question: read from the end, they are there when it is made.
    for at in reversed(range(len(features))):
        node = float(values[at])
        if features[at] >= 0:
            less, more = grown[-1], grown[len(features) - 1 - right[at]]
            grown.append((int(features[at]), node, less, more))
        else:
            grown.append(node)
    return grown[-1]

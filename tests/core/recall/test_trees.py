import random

import pytest

from mailguard.core.recall.trees import parse

# One tree: a <= 1 ? (b <= 2 ? -1 : 5) : 3
MODEL = {
    "version": 2,
    "names": ["a", "b"],
    "usual": {"relay": [[1, 2.0]], "list": [[1, 2.0]]},
    "trees": [
        {"f": [0, 1, -1, -1, -1], "v": [1.0, 2.0, -1.0, 5.0, 3.0], "r": [4, 3, 0, 0, 0]},
        {"f": [-1], "v": [0.25], "r": [0]},
        {"f": [-1], "v": [0.5], "r": [0]},
    ],
    "order": [{"f": [1, -1, -1], "v": [1.0, -2.0, 2.0], "r": [2, 0, 0]}],
}


@pytest.mark.parametrize(("values", "answer"), [((1, 2), -0.25), ((1, 2.1), 5.75), ((1.1, 0), 3.75)])
def test_the_way_through_the_trees(values: tuple[float, float], answer: float) -> None:
    assert parse(MODEL, ["a", "b"]).score(values) == answer


def test_the_order_of_recipients_has_trees_of_its_own() -> None:
    trees = parse(MODEL, ["a", "b"])
    assert trees.rank((0, 1)) == -2
    assert trees.rank((0, 1.5)) == 2


def walked(tree: dict[str, list[float]], values: list[float], at: int = 0) -> float:
    """The answer of one tree of the file, question by question."""
    feature, limit = tree["f"][at], tree["v"][at]
    if feature < 0:
        return limit
    further = at + 1 if values[int(feature)] <= limit else int(tree["r"][at])
    return walked(tree, values, further)


def grown(chance: random.Random, leaves: int) -> dict[str, list[float]]:
    """A tree of so many answers."""
    if leaves == 1:
        return {"f": [-1], "v": [chance.uniform(-1, 1)], "r": [0]}
    left = chance.randrange(1, leaves)
    less, more = grown(chance, left), grown(chance, leaves - left)
    shift, far = 1, 1 + len(less["f"])
    right = [
        [one + place if feature >= 0 else 0 for feature, one in zip(tree["f"], tree["r"], strict=True)]
        for place, tree in ((shift, less), (far, more))
    ]
    return {
        "f": [chance.randrange(3), *less["f"], *more["f"]],
        "v": [float(chance.randrange(4)), *less["v"], *more["v"]],
        "r": [far, *right[0], *right[1]],
    }


def test_all_questions_at_once_find_what_a_walk_finds() -> None:
    chance = random.Random(7)
    trees = [grown(chance, chance.randrange(1, 33)) for _ in range(40)]
    made = parse({**MODEL, "names": ["a", "b", "c"], "trees": trees}, ["a", "b", "c"])
    for _ in range(200):
        values = [chance.choice((0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)) for _ in range(3)]
        assert made.score(values) == pytest.approx(sum(walked(tree, values) for tree in trees))


def test_a_model_of_another_version_or_for_other_features_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        parse({**MODEL, "version": 9}, ["a", "b"])
    with pytest.raises(ValueError, match="features"):
        parse(MODEL, ["a", "c"])
    many = {"f": [0, -1] * 33 + [-1], "v": [0.0] * 67, "r": [0] * 67}
    with pytest.raises(ValueError, match="32"):
        parse({**MODEL, "trees": [many]}, ["a", "b"])
    with pytest.raises(ValueError, match="damaged"):
        parse({**MODEL, "trees": [{"f": [0], "v": [], "r": []}]}, ["a", "b"])

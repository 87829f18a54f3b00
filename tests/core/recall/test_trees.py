import pytest

from mailguard.core.recall.trees import parse

# One tree: a <= 1 ? (b <= 2 ? -1 : 5) : 3
MODEL = {
    "version": 1,
    "names": ["a", "b"],
    "base": 0.5,
    "usual": {"relay": [[1, 2.0]], "list": [[1, 2.0]]},
    "trees": [
        {"f": [0, 1, -1, -1, -1], "v": [1.0, 2.0, -1.0, 5.0, 3.0], "r": [4, 3, 0, 0, 0]},
        {"f": [-1], "v": [0.25], "r": [0]},
    ],
}


@pytest.mark.parametrize(("values", "answer"), [((1, 2), -0.25), ((1, 2.1), 5.75), ((1.1, 0), 3.75)])
def test_the_way_through_the_trees(values: tuple[float, float], answer: float) -> None:
    assert parse(MODEL, ["a", "b"]).score(values) == answer


def test_a_model_of_another_version_or_for_other_features_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        parse({**MODEL, "version": 9}, ["a", "b"])
    with pytest.raises(ValueError, match="features"):
        parse(MODEL, ["a", "c"])
    with pytest.raises(ValueError, match="damaged"):
        parse({**MODEL, "trees": [{"f": [0], "v": [], "r": []}]}, ["a", "b"])

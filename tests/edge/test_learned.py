from importlib import resources

from mailguard.core.recall.evidence import NAMES
from mailguard.edge.learned import load


def test_the_model_that_ships_fits_the_evidence_of_this_version() -> None:
    trees = load()
    assert trees.names == NAMES
    assert len(trees.suspects.answers) > 50
    assert {"relay", "list"} <= set(trees.usual)


def test_a_stranger_is_never_safer_than_a_known_address() -> None:
    trees = load()
    at = NAMES.index("known.met")
    unknown = [0.0] * len(NAMES)
    known = [*unknown]
    known[at] = 1.0
    assert trees.score(unknown) >= trees.score(known)


def test_the_model_is_small() -> None:
    assert len(resources.files("mailguard.edge").joinpath("judge_model.json.gz").read_bytes()) < 150_000

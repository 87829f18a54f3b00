"""Fresh ids."""

from mailguard.core.identity import ALPHABET, LENGTH
from mailguard.edge.ids import AT_ONCE, RandomIds


def test_no_id_comes_twice_and_each_is_one() -> None:
    ids = RandomIds()
    made = [ids() for _ in range(5 * AT_ONCE)]
    assert len(set(made)) == len(made)
    assert all(len(one) == LENGTH and set(one) <= set(ALPHABET) for one in made)
    assert RandomIds()() not in made

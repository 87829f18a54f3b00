"""What a value is when it runs. That it is frozen is for mypy to say, in every line of `make check`."""

import copy
import dataclasses
import pickle

import pytest

from mailguard.core.value import dataclass, replace


@dataclass(frozen=True, kw_only=True, slots=True)
class Slip:
    """A value like those of the core."""

    address: str
    tries: int = 0
    seen: list[str] = dataclasses.field(default_factory=list, compare=False)


@dataclass(frozen=True, slots=True)
class Doubled:
    """One that works something out."""

    number: int
    twice: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "twice", 2 * self.number)


@dataclass(kw_only=True)
class Tally:
    """One that may be changed."""

    count: int


def test_it_is_equal_and_has_a_hash_by_its_fields() -> None:
    one, same, other = Slip(address="a@b"), Slip(address="a@b", seen=["x"]), Slip(address="a@b", tries=1)
    assert one == same and hash(one) == hash(same)
    assert one != other and len({one, same, other}) == 2


def test_another_one_has_the_changes_and_everything_else() -> None:
    one = Slip(address="a@b", seen=["x"])
    other = replace(one, tries=3)
    assert (other.address, other.tries, other.seen) == ("a@b", 3, ["x"])
    assert one.tries == 0
    assert replace(one) == one and replace(one) is not one


def test_a_field_that_it_does_not_have_is_an_error() -> None:
    with pytest.raises(AttributeError):
        replace(Slip(address="a@b"), adress="c@d")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Slip(adress="c@d")  # type: ignore[call-arg]


def test_what_is_worked_out_is_worked_out_anew() -> None:
    assert replace(Doubled(2), number=5).twice == 10


def test_what_may_be_changed_has_no_hash() -> None:
    tally = Tally(count=1)
    tally.count += 1
    assert replace(tally, count=5).count == 5
    with pytest.raises(TypeError):
        hash(tally)


def test_it_is_a_dataclass_like_any_other() -> None:
    one = Slip(address="a@b", tries=2)
    assert dataclasses.asdict(one) == {"address": "a@b", "tries": 2, "seen": []}
    assert repr(one).endswith("Slip(address='a@b', tries=2, seen=[])")
    assert dataclasses.replace(one, tries=4).tries == 4
    assert copy.deepcopy(one) == one == pickle.loads(pickle.dumps(one))  # noqa: S301
    assert not hasattr(one, "__dict__")


def test_mypy_sees_that_it_is_frozen() -> None:
    """This line is no error only as long as mypy knows better (`warn_unused_ignores`)."""
    one = Slip(address="a@b")
    one.tries = 1  # type: ignore[misc]
    assert one.tries == 1

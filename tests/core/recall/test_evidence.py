import math

from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.core.recall.evidence import NAMES, SIGNS, evidence
from mailguard.core.recall.scene import Scene
from tests.core.recall.letters import letter, memory, reading

_ODD = st.text(st.sampled_from(list("ab.@é \u2028\x00<>-_'\"")), max_size=12)
_LETTERS = st.builds(
    lambda people, sender, text, subject, day: letter(
        " ".join(people[:4]), text, sender=sender, cc=" ".join(people[4:]), subject=subject, day=day
    ),
    st.lists(_ODD, max_size=8),
    _ODD,
    st.text(max_size=200),
    _ODD,
    st.floats(-100, 100),
)


def test_every_piece_of_evidence_has_its_own_name_and_a_sign() -> None:
    assert len(set(NAMES)) == len(NAMES) == len(SIGNS)
    assert set(SIGNS) <= {-1, 0, 1}


@given(st.lists(_LETTERS, max_size=6), _LETTERS)
@settings(max_examples=150, deadline=None)
def test_no_mail_makes_it_fail(before: list, judged: object) -> None:  # type: ignore[type-arg]
    recall = memory(*before)
    scene = Scene(recall, reading(judged))  # type: ignore[arg-type]
    for person in scene.recipients:
        values = evidence(scene, person)
        assert len(values) == len(NAMES)
        assert all(map(math.isfinite, values))

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.core.recall.observation import Observation, decode, encode, without, without_all
from tests.core.recall.letters import letter, reading

_TEXT = st.text(st.characters(exclude_characters="\x00"), max_size=40)
_MANY = st.lists(_TEXT, max_size=6).map(tuple)
_32 = st.integers(0, 2**32 - 1)
_64 = st.integers(0, 2**64 - 1)
OBSERVATIONS = st.builds(
    Observation,
    when=st.integers(-(2**62), 2**62),
    sender=_TEXT,
    to=_MANY,
    cc=_MANY,
    hidden=_MANY,
    message_id=_64,
    answers=st.lists(_64, max_size=12).map(tuple),
    subject=_64,
    is_reply=st.booleans(),
    is_forward=st.booleans(),
    through_list=st.booleans(),
    greeting=st.lists(_32, max_size=4).map(tuple),
    terms=st.lists(st.tuples(_32, st.integers(0, 255)), max_size=80).map(tuple),
    names=st.lists(st.tuples(_TEXT, _TEXT), max_size=12).map(tuple),
)


@given(OBSERVATIONS)
@settings(max_examples=200, deadline=None)
def test_what_is_written_to_the_log_is_read_back(observation: Observation) -> None:
    assert decode(encode(observation)) == observation


@given(st.binary(max_size=300))
def test_damaged_lines_are_refused_with_a_reason(data: bytes) -> None:
    try:
        decode(data)
    except ValueError as error:
        assert "observation" in str(error)


def test_a_line_cut_short_is_refused() -> None:
    data = encode(reading(letter("bob@x.example", "Hi Bob,\nthe report is late")).observation)
    for end in range(len(data) - 14):
        with pytest.raises(ValueError, match="observation"):
            decode(data[:end])


def test_a_long_mail_takes_about_a_kilobyte_at_most() -> None:
    text = " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}x" for n in range(5000))
    assert len(encode(reading(letter("bob@x.example carol@x.example", text)).observation)) <= 1024


def test_no_word_of_the_mail_is_in_the_log() -> None:
    data = encode(
        reading(letter("bob@x.example", "Dear Zebulon,\nlayoffs in spring", subject="Secret")).observation
    )
    for word in (b"ebulon", b"layoffs", b"spring", b"ecret"):
        assert word not in data.lower()


def test_a_person_can_be_taken_out_of_the_log() -> None:
    log = [
        reading(letter("bob@x.example carol@x.example", "Hi Bob,")).observation,
        reading(letter("bob@x.example")).observation,
        reading(letter("carol@x.example", sender="bob@x.example")).observation,
        reading(letter("carol@x.example")).observation,
    ]
    left = list(without_all(log, "bob@x.example"))
    assert [one.recipients for one in left] == [("carol@x.example",), ("carol@x.example",)]
    assert left[0].greeting == ()
    assert not any(b"bob" in encode(one) for one in left)
    assert without(log[3], "bob@x.example") is log[3]

import time

import pytest

from mailguard.core.prose import Text, Words
from mailguard.edge.config.expression import Expression, text_pattern


def found(pattern: str, text: str) -> bool:
    return text_pattern(pattern).found_in(Text(raw=text))


def test_between_slashes_is_an_expression_and_the_rest_is_words() -> None:
    assert isinstance(text_pattern("/a+/"), Expression)
    for words in ("a", "/etc/passwd", "//", "/", "a/b/"):
        assert isinstance(text_pattern(words), Words)


@pytest.mark.parametrize(
    ("pattern", "text", "there"),
    [
        (r"/\bQ[1-4]\b/", "the Q3 figures", True),
        (r"/\bQ[1-4]\b/", "the q3 figures", False),
        (r"/\bQ[1-4]\b/i", "the q3 figures", True),
        ("/^total/", "the total", False),
        ("/é/", "é", True),
        ("/é/", "e", False),
        ("/a.b/", "a\ud800b", True),
    ],
)
def test_an_expression_sees_the_text_as_written(pattern: str, text: str, there: bool) -> None:
    assert found(pattern, text) is there


@pytest.mark.parametrize("pattern", ["/results/g", "/results/I", "/a/im"])
def test_a_flag_that_is_unknown_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="behind the second slash"):
        text_pattern(pattern)


@pytest.mark.parametrize("pattern", ["/(?=x)/", r"/(a)\1/", "/(/", "/a{1000}{1000}/", "/" + "a" * 1001 + "/"])
def test_what_cannot_be_bounded_is_refused(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="the regular expression"):
        text_pattern(pattern)
    # RE2 would write its own line to the standard error.
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("pattern", ["/(a+)+$/", "/(a|aa)*b/", "/(.*)(.*)(.*)x/"])
def test_an_expression_never_explodes(pattern: str) -> None:
    start = time.process_time()
    assert not found(pattern, "a" * 50_000 + "!")
    assert time.process_time() - start < 0.3

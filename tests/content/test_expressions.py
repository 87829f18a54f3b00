"""Regular expressions of an administrator on the text of an attacker: bounded, or refused at once."""

import time

import pytest

from mailguard.core.errors import ConfigurationError
from mailguard.core.prose import Text
from mailguard.edge.config import parse_rules
from mailguard.edge.config.expression import LARGEST, Expression, text_pattern

HOSTILE = "a" * 50_000 + "!"
RULE = '[[rule]]\nname = "x"\ndelay = "1m"\nwhen = {{ subject = \'{}\' }}\n'


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*)*$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*a){20}$"),
        *(
            "(x+x+)+y",
            "(a?){50}a{50}$",
            "([a-zA-Z]+)*$",
            "(?:a.?){30}\\z",
            "[a-z]*[a-z]*[a-z]*!!",
            "\\w+\\s?$",
        ),
    ],
)
def test_an_expression_that_explodes_elsewhere_is_quick(pattern: str) -> None:
    compiled = text_pattern(f"/{pattern}/i")
    taken = []
    for _ in range(3):
        start = time.process_time()
        compiled.found_in(Text(raw=HOSTILE))
        taken.append(time.process_time() - start)
    assert min(taken) < 0.1


@pytest.mark.parametrize(
    "pattern",
    [
        *("(?=a)b", "(?<!a)b", "(a)\\1", "a{100000}", "((a{100}){100}){100}", "(", "[z-a]", "(?P<x", "a**"),
        *("\\p{Nonsense}", "(((a{30}){30}){30}){30}", "x" * 2000, "(?i", "\\"),
    ],
)
def test_an_expression_that_cannot_be_bounded_is_refused_when_the_rules_are_read(pattern: str) -> None:
    start = time.process_time()
    with pytest.raises(ConfigurationError) as refused:
        parse_rules(RULE.format(f"/{pattern}/"), "rules.toml")
    assert "rules.toml:4" in str(refused.value)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "pattern", ["(a?){%d}a{%d}$", "(?:a.?){%d}b", "(?:[a-q][^u-z]{%d})x", "(?:[\\pL]{%d}x?)$"]
)
def test_the_size_of_an_expression_is_bounded_and_so_its_time(pattern: str) -> None:
    """The largest of its kind that is taken, on the most text that is read of a subject, and on a body."""
    largest = None
    for count in range(0, 1000, 20):
        try:
            largest = text_pattern("/" + pattern.replace("%d", str(count)) + "/")
        except ValueError as error:
            assert "too large" in str(error) or "cannot be used" in str(error)
            break
    assert isinstance(largest, Expression)
    assert largest.compiled.programsize <= LARGEST
    for text, budget in (("a" * 998, 0.2), (HOSTILE, 5)):
        start = time.process_time()
        largest.found_in(Text(raw=text))
        assert time.process_time() - start < budget


def test_what_people_write_is_small_enough() -> None:
    words = "|".join(f"project-{number}[a-z]*" for number in range(40))
    for pattern in (
        words,
        "confidential.{0,200}salary",
        "[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){3,7}",
        "\\pL+@\\pL+",
    ):
        text_pattern(f"/{pattern}/i")

"""The words of the page: the same in every language, and none that a page asks for is missing."""

import re
import string
from datetime import datetime
from pathlib import Path

import pytest

from mailguard.core.states import Move
from mailguard.edge.web.words import LANGUAGES, load

WEB = Path(load.__code__.co_filename).parent.parent
SOURCES = [*WEB.glob("*.py"), *(WEB / "templates").glob("*.html")]
ASKED = re.compile(r"""(?:\bt|\bsay|words)\(\s*["']([a-z_]+(?:\.[a-z_0-9]+)+)["']""")


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_says_the_same_with_the_same_names() -> None:
    words = load()
    english = words["en"]
    for language in LANGUAGES:
        assert words[language].keys == english.keys
        for key in english.keys:
            assert _names(words[language].text(key)) == _names(english.text(key)), (language, key)


def test_no_word_that_a_page_asks_for_is_missing() -> None:
    keys = load()["en"].keys
    asked = {key for path in SOURCES for key in ASKED.findall(path.read_text(encoding="utf-8"))}
    assert len(asked) > 80
    # What ends with "_" is put together from two pieces.
    whole = {key for key in asked if not key.endswith("_")}
    assert {key for key in whole if key not in keys and f"{key}.one" not in keys} == set()


def test_every_move_has_a_sentence_in_the_history() -> None:
    keys = load()["en"].keys
    assert {f"event.{move}" for move in Move} - keys == set()


@pytest.mark.parametrize(("language", "none"), [("en", "0 messages have"), ("fr", "0 message n\u2019est")])
def test_one_and_many(language: str, none: str) -> None:
    words = load()[language]
    assert words("queue.waiting", count=0).startswith(none)
    assert words("queue.waiting", count=1) != words("queue.waiting", count=2)


def test_days_and_sizes_are_written_as_people_do_there() -> None:
    english, french = load()["en"], load()["fr"]
    day = datetime(2026, 8, 9)  # noqa: DTZ001
    assert (english.day(day), french.day(day)) == ("Aug 9", "9 août")
    assert (english.size(900), english.size(1536)) == ("900 bytes", "1.5 kB")
    assert french.size(3 * 1024 * 1024 + 200_000) == "3,2 Mo"

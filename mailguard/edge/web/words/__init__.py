"""What the page says, in English and French: one file of words for each language."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "fr")

_UNITS = ((1024 * 1024, "size.mb"), (1024, "size.kb"))


class Words:
    """The words of one language; `words("queue.title")` is one of them, with its names filled in."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, /, **values: object) -> str:
        """The text of this key. With `count`, `key.one` is taken for one (and in French for none)."""
        if "count" in values and f"{key}.one" in self._texts:
            key = f"{key}.{self._number(values['count'])}"
        return self._texts[key].format_map(values)

    def _number(self, count: object) -> str:
        single = count in (0, 1) if self.language == "fr" else count == 1
        return "one" if single else "other"

    def text(self, key: str) -> str:
        """The text of this key as it stands, with the names in braces."""
        return self._texts[key]

    def has(self, key: str) -> bool:
        """Whether there is a text of this key."""
        return key in self._texts

    @property
    def keys(self) -> frozenset[str]:
        """Every key that there is."""
        return frozenset(self._texts)

    @staticmethod
    def capital(text: str) -> str:
        """The text with a capital at its beginning."""
        return text[:1].upper() + text[1:]

    def day(self, at: datetime) -> str:
        """A day as people write it here."""
        return self("time.day", day=at.day, month=self(f"month.{at.month}"), year=at.year)

    def size(self, count: int) -> str:
        """A number of bytes."""
        for unit, key in _UNITS:
            if count >= unit:
                return self(key, size=f"{count / unit:.1f}".replace(".", self("size.point")))
        return self("size.b", size=count)


@cache
def _loaded() -> Mapping[str, "Words"]:
    return load()


def speaking(language: str) -> "Words":
    """The words of this language; English for one that we do not speak."""
    return _loaded().get(language, _loaded()["en"])


def load() -> Mapping[str, Words]:
    """The words of every language, read from the files beside this one."""
    return {language: Words(language, _read(language)) for language in LANGUAGES}


def _read(language: str) -> Mapping[str, str]:
    path = Path(__file__).with_name(f"{language}.toml")
    return dict(_flat(tomllib.loads(path.read_text(encoding="utf-8")), ""))


def _flat(table: Mapping[str, object], before: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _flat(value, f"{before}{key}.")
        else:
            found.append((before + key, str(value)))
    return found

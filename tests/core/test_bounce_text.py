"""The words of reports: in both languages, for every kind."""

import pytest

from mailguard.core.bounce import Kind
from mailguard.core.bounce_text import body_text, subject_text
from tests.making import message


@pytest.mark.parametrize("language", ["en", "fr", "", "xx"])
@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_its_words(kind: Kind, language: str) -> None:
    assert subject_text(kind.value, "Plans", language).endswith("Plans")
    text = body_text(
        message(subject="Plans"),
        [("b@x.example", "550 no"), ("c@x.example", "")],
        kind=kind.value,
        reason="",
        hostname="guard.corp.example",
        language=language,
    )
    assert "guard.corp.example" in text
    assert "  b@x.example\n    550 no\n  c@x.example\n\n" in text
    assert "2026-11-22 10:00 UTC" in text


def test_french_and_english_differ() -> None:
    kinds = [kind.value for kind in Kind]
    assert all(subject_text(kind, "x", "en") != subject_text(kind, "x", "fr") for kind in kinds)


def test_a_message_without_a_subject() -> None:
    assert subject_text("failed", "", "en") == "Not delivered: -"

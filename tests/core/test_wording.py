import pytest

from mailguard.core import wording
from mailguard.core.checks import CHECKS, UNREADABLE
from mailguard.core.findings import Finding
from mailguard.core.hold import Action
from mailguard.core.states import MessageState, RecipientState

PARAMETERS = {
    "address": "b@{client}.example",
    "part": "headers",
    "name": "Bob",
    "login": "alice",
    "sender": "a@corp.example",
    "domain": "client.example",
    "near": "c1ient.example",
    "usual": "bob@client.example",
    "usual_mails": "14",
    "mails": "0",
    "together": "9",
    "of": "10",
    "count": "12",
    "organisations": "3",
    "mark": "confidential",
    "file": "offer.pdf",
    "other": "durand.example",
    "domains": "client.example",
    "colleague": "",
}


@pytest.mark.parametrize("language", wording.LANGUAGES)
@pytest.mark.parametrize("code", [*(check.code for check in CHECKS), UNREADABLE])
def test_every_check_has_a_sentence(code: str, language: str) -> None:
    said = wording.sentence(Finding(check=code, parameters=PARAMETERS), language)
    assert said.endswith(".")
    assert code not in said


def test_the_languages_differ_and_the_unknown_one_is_english() -> None:
    finding = Finding(check=UNREADABLE, parameters={"part": "body"})
    english, french = (wording.sentence(finding, language) for language in ("en", "fr"))
    assert english != french
    assert wording.sentence(finding, "tlh") == english


def test_what_stands_in_a_parameter_is_only_text() -> None:
    finding = Finding(check="stranger_in_thread", parameters={"address": "{check}@client.example"})
    assert "{check}@client.example" in wording.sentence(finding, "en")


def test_a_check_that_is_gone_still_has_a_sentence() -> None:
    assert wording.sentence(Finding(check="gone"), "en") == "The check gone noticed something."
    assert "stranger_in_thread" in wording.sentence(Finding(check="stranger_in_thread"), "fr")


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_every_state_and_action_has_a_word(language: str) -> None:
    words = [wording.state(state, language) for state in (*MessageState, *RecipientState)]
    words += [wording.action(action, language) for action in Action]
    assert all(words)

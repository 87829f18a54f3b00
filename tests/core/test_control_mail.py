from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.control_mail import ControlAddress, Order, Wish, addressed, order

HOST = "guard.corp.example"
CANCEL = ControlAddress(wish=Wish.CANCEL, id="abc123")
SEND = ControlAddress(wish=Wish.SEND, id="abc123")


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("queue@guard.corp.example", ControlAddress(wish=Wish.LIST)),
        ("Queue@GUARD.corp.example", ControlAddress(wish=Wish.LIST)),
        ("cancel+ABC123@guard.corp.example", CANCEL),
        # Read over a telephone: look-alikes are mended as everywhere.
        ("cancel+abcl23@guard.corp.example", CANCEL),
        ("SEND+abc123@guard.corp.example", SEND),
        ("approve+abc123@guard.corp.example", ControlAddress(wish=Wish.APPROVE, id="abc123")),
        ("cancel@guard.corp.example", None),
        ("cancel+@guard.corp.example", None),
        ("queue+x@guard.corp.example", None),
        ("queue@corp.example", None),
        ("cancel+abc123@guard.corp.example.evil.example", None),
        ("drop+abc123@guard.corp.example", None),
        ("", None),
    ],
)
def test_which_recipient_is_the_guard(recipient: str, expected: ControlAddress | None) -> None:
    assert addressed(recipient, HOST) == expected


@pytest.mark.parametrize("text", ["", "\n  \n", "\u00a0"])
def test_without_words_the_address_decides(text: str) -> None:
    assert order(CANCEL, text) == Order(wish=Wish.CANCEL, id="abc123")
    assert order(SEND, text) == Order(wish=Wish.SEND, id="abc123")


@pytest.mark.parametrize(
    "text",
    [
        "send",
        "Send.",
        "SEND NOW!",
        "send it please, thanks\nPaul",
        "envoyer",
        "Envoyez maintenant, merci.",
        "*send*",
    ],
)
def test_send(text: str) -> None:
    assert order(CANCEL, text) == Order(wish=Wish.SEND, id="abc123")


@pytest.mark.parametrize(
    "text",
    [
        "Do not send!",
        "send nothing to him",
        "Send it tomorrow",
        "don't",
        "Oh no, that was the wrong Bob",
        "n'envoyez pas",
        "envoyer plus tard",
        "wait",
        "wait a moment",
        "drop him",
        "send " + "please " * 200,
    ],
)
def test_in_doubt_it_is_stopped_and_the_answer_says_so(text: str) -> None:
    assert order(SEND, text) == Order(wish=Wish.CANCEL, id="abc123", understood=False)


@pytest.mark.parametrize("text", ["cancel", "Stop!", "annuler", "Annulez, merci", "non", "No."])
def test_cancel_is_understood_at_both_addresses(text: str) -> None:
    assert order(SEND, text) == order(CANCEL, text) == Order(wish=Wish.CANCEL, id="abc123")


@pytest.mark.parametrize(
    ("text", "longer"),
    [
        ("wait 30m", timedelta(minutes=30)),
        ("Wait 30 min, please", timedelta(minutes=30)),
        ("wait 2 hours", timedelta(hours=2)),
        ("attendre 45 minutes", timedelta(minutes=45)),
        ("Attendez 1 heure", timedelta(hours=1)),
        ("attendre 2j", timedelta(days=2)),
        ("wait 10", timedelta(minutes=10)),
    ],
)
def test_wait(text: str, longer: timedelta) -> None:
    assert order(CANCEL, text) == Order(wish=Wish.WAIT, id="abc123", by=longer)


@pytest.mark.parametrize(
    ("text", "recipients"),
    [
        ("drop bob@client.example", ("bob@client.example",)),
        ("Drop: Bob <bob@client.example>, eve@else.example.", ("bob@client.example", "eve@else.example")),
        ("retirer bob@client.example", ("bob@client.example",)),
        ("Retirez <mailto:bob@client.example>", ("bob@client.example",)),
    ],
)
def test_drop(text: str, recipients: tuple[str, ...]) -> None:
    assert order(CANCEL, text) == Order(wish=Wish.DROP, id="abc123", recipients=recipients)


def test_only_the_first_line_with_words_counts() -> None:
    assert order(CANCEL, "\n\n  wait 5m\nsend\n").wish is Wish.WAIT


def test_mail_to_the_queue_asks_for_the_list_whatever_it_says() -> None:
    assert order(ControlAddress(wish=Wish.LIST), "send") == Order(wish=Wish.LIST)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("approve", Order(wish=Wish.APPROVE, id="abc123")),
        ("Approuvé, merci.", Order(wish=Wish.APPROVE, id="abc123")),
        ("Approuvez, merci", Order(wish=Wish.APPROVE, id="abc123")),
        ("reject Not before Monday", Order(wish=Wish.REJECT, id="abc123", reason="Not before Monday")),
        ("Rejeter : chiffres faux", Order(wish=Wish.REJECT, id="abc123", reason="chiffres faux")),
        ("reject", Order(wish=Wish.NOTHING, id="abc123", understood=False)),
        ("approve nothing of this", Order(wish=Wish.NOTHING, id="abc123", understood=False)),
        ("", Order(wish=Wish.NOTHING, id="abc123", understood=False)),
        ("send", Order(wish=Wish.NOTHING, id="abc123", understood=False)),
    ],
)
def test_an_approver_must_be_clear(text: str, expected: Order) -> None:
    assert order(ControlAddress(wish=Wish.APPROVE, id="abc123"), text) == expected


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert order(CANCEL, text).id == "abc123"
    assert addressed(text, HOST) is None or "@" in text

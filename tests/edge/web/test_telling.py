"""What is told after an act comes from the message, whatever an address says."""

from dataclasses import replace

from mailguard.core import moves, view
from mailguard.core.hold import Change, HeldMessage
from mailguard.core.states import MessageState, RecipientState
from mailguard.edge.web.showing import Reader
from mailguard.edge.web.telling import Told, told_of
from mailguard.edge.web.words import load
from tests.making import NOW, in_state, message, recipient

READER = Reader(words=load()["en"], now=NOW, local=lambda at: at)


def told(held: HeldMessage | None, **asked: str) -> Told | None:
    return told_of(asked, None if held is None else view.message(held), READER)


def stopped(held: HeldMessage, *only: str) -> HeldMessage:
    change = moves.cancel(held, set(only), by="a", now=NOW)
    assert isinstance(change, Change)
    return change.after


def test_stopped_names_whom_it_will_not_reach_and_can_be_undone() -> None:
    one = told(stopped(message()), did="cancel", told="done")
    assert one
    assert one.kind == "good"
    assert one.title == "Stopped. It will never go to b@client.example."
    assert one.undo == "k7fm2xqp9d3t"
    many = told(
        stopped(message(*(recipient(f"b{n}@x.example") for n in range(5)))), did="cancel", told="done"
    )
    assert many
    assert many.title.endswith("b2@x.example and 2 more.")


def test_had_back_as_a_draft_says_where_it_is() -> None:
    for did, where in (("edit", "Open the draft"), ("edit_placed", "in the folder of drafts")):
        one = told(stopped(message()), did=did, told="done")
        assert one
        assert one.title == "Stopped. It will never go to b@client.example."
        assert where in one.lines[0]
        assert (one.draft, one.undo) == ("k7fm2xqp9d3t", "")
    assert told(message(), did="edit", told="done") == told(message(), did="cancel", told="done")


def test_dropped_says_that_the_rest_goes_on() -> None:
    held = stopped(message(recipient(), recipient("c@x.example")), "c@x.example")
    one = told(held, did="drop", told="done")
    assert one
    assert one.title == "It will not go to c@x.example. The rest goes on."


def test_too_late_tells_what_left_and_what_did_not() -> None:
    gone = recipient("a@x.example", state=RecipientState.SENT, sent_at=NOW)
    held = stopped(message(gone, recipient("b@x.example")))
    one = told(held, did="cancel", told="too_late")
    assert one
    assert one.kind == "late"
    assert one.lines == (
        "It left to a@x.example on Nov 22, 10:00:00 UTC.",
        "What had not left is stopped: it will not go to b@x.example.",
    )


def test_an_address_cannot_claim_what_is_not_so() -> None:
    as_it_is = Told(kind="caution", title="That is not possible now", lines=("The message is: held.",))
    for verb in ("cancel", "freeze", "reject", "approve", "confirm", "release"):
        assert told(message(), did=verb, told="done") == as_it_is, verb
    sent = told(in_state(MessageState.SENT), did="cancel", told="done")
    assert sent
    assert sent.kind == "caution"
    assert told(None, did="cancel", told="done", id="x").title == "There is no such message"  # type: ignore[union-attr]
    strange = told(message(), did="<script>", told="<script>")
    assert strange
    assert "<" not in strange.title


def test_nothing_is_told_where_nothing_was_done() -> None:
    assert told(message()) is None
    assert told(None) is None


def test_many_are_told_by_number() -> None:
    one = told(None, did="many", to="cancel", done="done.3-too_late.1-x.99999")
    assert one == Told(kind="caution", title="3 messages stopped", lines=("1 too late",))
    none = told(None, did="many", to="cancel", done="")
    assert none
    assert none.title == "Nothing was chosen"
    assert told(None, did="many", to="evil", done="done.1") == none


def test_restored_and_released() -> None:
    assert told(message(), did="restore", told="done").title == "It is held again."  # type: ignore[union-attr]
    later = told(replace(message()), did="extend", told="done")
    assert later
    assert later.title == "It waits until 10:05."

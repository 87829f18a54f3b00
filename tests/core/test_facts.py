"""What the judge may know."""

from mailguard.core.facts import Headers, Thread


def test_the_thread_is_what_references_and_in_reply_to_name_each_once() -> None:
    headers = Headers(references=("one@x", "two@x"), in_reply_to=("two@x", "three@x"))
    assert headers.thread_ids == ("one@x", "two@x", "three@x")
    assert headers.is_reply
    assert not Headers().is_reply


def test_an_unknown_thread_is_not_an_empty_one() -> None:
    assert not Thread().known
    assert Thread(participants=frozenset({"a@x.example"})).known

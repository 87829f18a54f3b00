from tests.core.recall.letters import letter


def test_each_recipient_counts_once_in_the_order_of_the_header() -> None:
    one = letter("b@x.example a@x.example", cc="a@x.example c@x.example")
    assert one.recipients == ("b@x.example", "a@x.example", "c@x.example")

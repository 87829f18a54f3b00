"""A transaction for some recipients, and what its answers mean for each of them."""

import pytest

from mailguard.core.delivery import Answer
from mailguard.edge.smtp_out.commands import Unsendable, nobody, nothing
from mailguard.edge.smtp_out.parcel import Parcel, Planned, all_later, outcomes_of, plan
from mailguard.edge.smtp_out.session import Answers, Session
from mailguard.edge.smtp_out.wire import Reply, Wire
from tests.edge.smtp_out.upstream import CONTENT, Upstream, claimed, options

OK, GO_ON = Reply(code=250, text="2.0.0 Ok"), Reply(code=354, text="go on")


def planned(*recipients: str, offers: dict[str, str] | None = None, content: bytes = CONTENT) -> Planned:
    """A plan for a server that offers this."""
    message = claimed(*recipients).message
    parcel = Parcel(message=message, recipients=message.recipients, content=content)
    session = Session(Wire(), offers or {}, options(Upstream()))
    return plan(session, parcel, nothing, nobody)


def test_the_envelope_is_one_group_that_ends_with_data() -> None:
    made = planned("a@x.example", "b@x.example")
    assert made.order.envelope == (
        made.order.mail + b"RCPT TO:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n"
    )


def test_whom_the_server_cannot_take_is_told_and_the_others_are_asked() -> None:
    made = planned("a@x.example", "j\u00fcrgen@x.example")
    assert made.asked == (0,)
    assert made.settled[1].answer is Answer.NEVER


def test_what_is_too_large_for_the_server_is_not_offered() -> None:
    with pytest.raises(Unsendable, match=r"^5\.3\.4 "):
        planned("a@x.example", offers={"size": "10"})


@pytest.mark.parametrize(
    ("rcpts", "data", "answers"),
    [
        ((OK, OK), OK, [Answer.TAKEN, Answer.TAKEN]),
        ((OK, Reply(code=550, text="5.1.1 gone")), OK, [Answer.TAKEN, Answer.NEVER]),
        ((OK, Reply(code=451, text="4.7.1 greylisted")), OK, [Answer.TAKEN, Answer.LATER]),
        ((OK, OK), Reply(code=451, text="4.3.0 no"), [Answer.LATER, Answer.LATER]),
        ((OK, OK), Reply(code=554, text="5.6.0 no"), [Answer.NEVER, Answer.NEVER]),
        # "Too many recipients", as it was said of old; but a full mailbox is full.
        ((OK, Reply(code=552, text="too many")), OK, [Answer.TAKEN, Answer.LATER]),
        ((OK, Reply(code=552, text="5.2.2 full")), OK, [Answer.TAKEN, Answer.NEVER]),
        # About us, or about the order of commands, and not about the message.
        ((OK, Reply(code=530, text="5.7.0 log in")), OK, [Answer.TAKEN, Answer.LATER]),
        ((OK, Reply(code=503, text="5.5.1 MAIL first")), OK, [Answer.TAKEN, Answer.LATER]),
    ],
)
def test_each_recipient_has_its_own_answer(
    rcpts: tuple[Reply, ...], data: Reply, answers: list[Answer]
) -> None:
    made = planned("a@x.example", "b@x.example")
    message = claimed("a@x.example", "b@x.example").message
    found = outcomes_of(made, message.recipients, Answers(mail=OK, rcpts=rcpts, data=data), dsn=False)
    assert [found[index].answer for index in range(2)] == answers


def test_what_is_said_of_all_is_bounded_and_clean() -> None:
    [one] = all_later(claimed("a@x.example").message.recipients, "4.4.1 out\x1b[2J" + "x" * 1000)
    assert len(one.reply) == 500
    assert "\x1b" not in one.reply
    assert (one.answer, one.upstream, one.ambiguous) == (Answer.LATER, True, False)

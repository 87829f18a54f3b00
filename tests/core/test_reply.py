"""A reply is always one line, whatever its text was made of."""

from mailguard.core.reply import Reply


def test_a_reply_reads_as_on_the_wire() -> None:
    assert str(Reply(code=250, status="2.0.0", text="Held as x")) == "250 2.0.0 Held as x"
    assert str(Reply(code=354, status="", text="Go on")) == "354 Go on"


def test_a_line_break_in_a_text_never_becomes_a_second_reply() -> None:
    assert str(Reply(code=550, status="5.7.1", text="no\r\n250 ok\x1b[2J")) == "550 5.7.1 no??250 ok?[2J"


def test_a_reply_line_is_bounded() -> None:
    assert len(str(Reply(code=550, status="5.7.1", text="x" * 5000))) <= 510


def test_accepted_means_the_client_may_forget_it() -> None:
    assert Reply(code=250, status="2.0.0", text="").accepted
    assert not Reply(code=451, status="4.3.0", text="").accepted

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.core.body import read_body
from mailguard.core.invitation import PEOPLE_LIMIT, read


def calendar(*lines: str, method: str = "REQUEST", end: str = "\r\n") -> str:
    """An event with these lines."""
    whole = (
        "BEGIN:VCALENDAR",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        *lines,
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return end.join(whole) + end


ORGANIZER = "ORGANIZER;CN=Anne:mailto:anne@corp.example"
GUEST = 'ATTENDEE;CN="Stone: Bob; the ""boss""";ROLE=REQ-PARTICIPANT:MAILTO:Bob@Client.Example'


def test_everybody_whom_it_names() -> None:
    found = read(calendar(ORGANIZER, GUEST, GUEST))
    assert found.people == ("anne@corp.example", "bob@client.example")
    assert found.by == ("anne@corp.example",)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_folded_line_is_one(end: str) -> None:
    folded = f"ATTENDEE;CN=Bob;ROLE=REQ-{end} PARTICIPANT:mai{end}\tlto:bob@client.example"
    assert read(calendar(folded, end=end)).people == ("bob@client.example",)


@pytest.mark.parametrize("method", ["REPLY", "CANCEL", "PUBLISH", ""])
def test_who_answers_or_cancels_invites_nobody(method: str) -> None:
    assert read(calendar(GUEST, method=method)).people == ()


def test_neither_a_room_nor_whom_an_alarm_writes_to_is_invited() -> None:
    room = "ATTENDEE;CUTYPE=ROOM:mailto:room1@client.example"
    alarm = ("BEGIN:VALARM", "ATTENDEE:mailto:me@corp.example", "END:VALARM")
    assert read(calendar(room, *alarm, GUEST)).people == ("bob@client.example",)


def test_an_address_beside_one_that_is_no_mailbox() -> None:
    found = read(calendar("ATTENDEE;EMAIL=bob@client.example:https://calendar.example/p/1", "ATTENDEE:urn:x"))
    assert found.people == ("bob@client.example",)


def test_a_calendar_without_bounds_is_read_within_them() -> None:
    many = (f"ATTENDEE:mailto:p{number}@client.example" for number in range(3 * PEOPLE_LIMIT))
    assert len(read(calendar(*many)).people) == PEOPLE_LIMIT
    deep = "BEGIN:VEVENT\n" * 50_000
    assert read(f"METHOD:REQUEST\n{deep}ATTENDEE:mailto:a@b.example\n").people == ()
    assert read("METHOD:REQUEST\nATTENDEE" + ';CN="a' * 60_000).people == ()
    assert read("METHOD:REQUEST\nATTENDEE" + ";a=b" * 60_000).people == ()


@given(st.text(st.sampled_from(list('ATENDORGIZBVL:;="\r\n \tmailto@.é\x00')), max_size=300))
@settings(max_examples=200, deadline=None)
def test_nothing_makes_it_fail(text: str) -> None:
    read(text)
    read(calendar(text))


def test_it_is_found_in_a_message_however_it_is_encoded() -> None:
    message = (
        b"Content-Type: multipart/alternative; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain\r\n\r\nCome.\r\n"
        b"--x\r\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        + calendar(ORGANIZER, GUEST).replace("=", "=3D").encode()
        + b"\r\n--x--\r\n"
    )
    body = read_body(message)
    assert body.invitation.people == ("anne@corp.example", "bob@client.example")
    assert body.text.strip() == "Come."

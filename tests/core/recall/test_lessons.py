"""What a mail in a folder teaches, and when two of them are one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.message import read_headers
from mailguard.core.recall import posting
from mailguard.core.recall.digest import read
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.lessons import Course, Lesson, Passed, lesson

DIGESTS = Digests(b"a key for tests")
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
COURSE = Course(now=NOW, since=NOW - timedelta(days=700))
MAIL = (
    b'From: "Anne, of Sales" <Anne@Corp.example>\r\nTo: =?utf-8?q?B=C3=B6b?= <bob@client.example>\r\n'
    b"Cc: carl@corp.example, anne@corp.example\r\nDate: Fri, 20 Nov 2026 09:00:00 +0100\r\n"
    b"Message-ID: <1@corp.example>\r\nReferences: <0@corp.example>\r\nSubject: Re: Plans\r\n\r\n"
    b"Hello Bob,\r\n\r\nthe plans are ready.\r\n"
)


def taught(content: bytes) -> Lesson:
    """The lesson of a mail that teaches something."""
    found = lesson(content, COURSE, DIGESTS)
    assert isinstance(found, Lesson)
    return found


def test_what_is_kept() -> None:
    found = taught(MAIL)
    seen = found.observation
    assert (seen.sender, seen.to) == ("anne@corp.example", ("bob@client.example",))
    assert seen.cc == ("carl@corp.example", "anne@corp.example")
    assert datetime.fromtimestamp(seen.when, UTC) == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert dict(seen.names) == {"anne@corp.example": "Anne, of Sales", "bob@client.example": "Böb"}
    assert (seen.is_reply, len(seen.answers), len(seen.greeting)) == (True, 1, 1)
    assert found.conversation is not None
    assert found.conversation.answers == ("0@corp.example",)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"Fri, 20 Nov 2026", b"Fri, 20 Nov 2009", Passed.OLD),
        (b"Fri, 20 Nov 2026", b"Fri, 20 Nov 2031", Passed.UNDATED),
        (b"Fri, 20 Nov 2026", b"some day", Passed.UNDATED),
        (b"Subject:", b"Auto-Submitted: auto-generated\r\nSubject:", Passed.AUTOMATIC),
        (b"Subject:", b"Precedence: bulk\r\nSubject:", Passed.AUTOMATIC),
        (b"bob@client.example>\r\nCc: carl@corp.example, anne@corp.example", b"nobody>", Passed.UNADDRESSED),
    ],
)
def test_what_teaches_nothing(old: bytes, new: bytes, why: Passed) -> None:
    assert lesson(MAIL.replace(old, new), COURSE, DIGESTS) is why


@pytest.mark.parametrize("field", [b"List-Id: <nfs.lists.example>", b"List-Post: NO", b"Precedence: list"])
def test_what_came_by_a_mailing_list(field: bytes) -> None:
    assert taught(field + b"\r\n" + MAIL).observation.through_list
    assert not taught(MAIL).observation.through_list


def test_only_some_authors() -> None:
    theirs = Course(now=NOW, since=COURSE.since, authors=frozenset({"bob@client.example"}))
    assert lesson(MAIL, theirs, DIGESTS) is Passed.OTHERS


def test_an_old_conversation_is_left_alone() -> None:
    assert taught(MAIL.replace(b"20 Nov 2026", b"20 Nov 2025")).conversation is None


def test_two_copies_of_one_mail_are_one() -> None:
    mark = posting.mark(taught(MAIL).observation)
    copy = taught(MAIL.replace(b"Subject:", b"Bcc: eve@corp.example\r\nReceived: from x by y; z\r\nSubject:"))
    assert copy.observation.hidden == ("eve@corp.example",)
    assert posting.mark(copy.observation) == mark
    # On its way, with a blind copy, it is the same, too.
    headers = read_headers(MAIL)
    people = ["bob@client.example", "carl@corp.example", "anne@corp.example", "eve@corp.example"]
    going = posting.on_its_way(headers, "", sender="anne@corp.example", recipients=people, when=NOW)
    assert going.hidden == ("eve@corp.example",)
    assert posting.mark(read(going, DIGESTS).observation) == mark
    assert posting.mark(taught(MAIL.replace(b"<1@", b"<2@")).observation) != mark
    fewer = posting.on_its_way(headers, "", sender="anne@corp.example", recipients=people[:1], when=NOW)
    assert posting.mark(read(fewer, DIGESTS).observation) != mark


def test_without_an_id_the_words_tell_them_apart() -> None:
    bare = MAIL.replace(b"Message-ID: <1@corp.example>\r\n", b"")
    assert posting.mark(taught(bare).observation) == posting.mark(taught(bare).observation)
    other = taught(bare.replace(b"the plans are ready", b"nothing was planned"))
    assert posting.mark(other.observation) != posting.mark(taught(bare).observation)


def test_the_author_is_whom_people_see() -> None:
    headers = read_headers(MAIL)
    to = ["bob@client.example"]
    assert posting.on_its_way(
        headers, "", sender="bounce+1@corp.example", recipients=to, when=NOW
    ).sender == ("anne@corp.example")
    nobody = read_headers(b"Subject: x\r\n\r\n")
    assert posting.on_its_way(
        nobody, "", sender="Anne@Corp.example", recipients=to, when=NOW
    ).hidden == tuple(to)


@given(st.binary(max_size=400), st.integers(0, len(MAIL)))
def test_it_never_raises(odd: bytes, place: int) -> None:
    lesson(odd, COURSE, DIGESTS)
    lesson(MAIL[:place] + odd + MAIL[place:], COURSE, DIGESTS)

"""What crosses between the two processes comes out as it went in."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailguard.app import crossing
from mailguard.app.crossing import Weighed
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.envelope import MailParameters
from mailguard.core.errors import Fault
from mailguard.flow.judging import Judged
from tests.flow.parts import opened, submission
from tests.flow.test_judging import judging
from tests.odd_mail import HEAD, ODD_MAIL

PARAMETERS = MailParameters(
    body="8BITMIME",
    smtputf8=True,
    size=17,
    ret="HDRS",
    envid="QQ314159",
    auth="a@x.example",
    hold_until=datetime(2026, 12, 1, 10, 30, 0, 123456, tzinfo=UTC),
)


@pytest.mark.parametrize("content", ODD_MAIL, ids=range(len(ODD_MAIL)))
async def test_a_judged_message(tmp_path: Path, content: bytes) -> None:
    async with opened(tmp_path) as parts:
        to = ("jürgen@bücher.example", '"odd one"@x.example', "editor@newspaper.example")
        one = submission(*to, now=parts.clock, content=content, parameters=PARAMETERS)
        judged = await judging(parts).judged(one, parts.rules.current)
        assert isinstance(judged, Judged)
        weighed = Weighed(
            handed=crossing.handed(one),
            received_at=one.received_at,
            judged=judged,
            rules="a" * 64,
            adoptions=3,
            within=4.25,
            spent=0.25,
        )
        there = crossing.read_weighed(crossing.written(weighed))
    assert there == weighed
    assert type(there.judged.verdict.expire) is timedelta
    assert type(there.judged.headers.to) is tuple
    assert crossing.submitted(there.handed, content, one.received_at) == one


async def test_text_in_no_charset_cannot_cross_and_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        one = submission("\udcff@x.example", now=parts.clock, content=HEAD + b"\r\nx\r\n")
    with pytest.raises(UnicodeEncodeError):
        crossing.written(crossing.handed(one))


def test_outcomes() -> None:
    found = [
        Outcome(address="a@x.example", answer=Answer.LATER, reply="421 bye", ambiguous=True, upstream=True),
        Outcome(address="b@x.example", answer=Answer.TAKEN, reply="250 ok", dsn=True),
    ]
    assert crossing.read_outcomes(crossing.written(found)) == found


def test_faults() -> None:
    fault = Fault(file="mailguard.toml", line=None, key="listen", problem="taken", expected="a free port")
    opened = crossing.Opened(addresses={"SMTP": ["127.0.0.1:25"]}, faults=(fault,))
    assert crossing.read_opened(crossing.written(opened)) == opened


def test_what_is_no_such_thing_is_not_read() -> None:
    """The process that listens to the network may send what it likes: it is read into these types alone."""
    with pytest.raises(ValueError, match="Expected"):
        crossing.read_weighed(crossing.written({"handed": 1}))
    line = crossing.read_logged(crossing.written({"name": "a", "trouble": False, "fields": {"peer": [1]}}))
    assert line.fields == {"peer": [1]}

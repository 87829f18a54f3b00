"""The ledger's question finds every kind of broken promise, and nothing where all were kept."""

from dataclasses import replace

import pytest

from tests.crash.ledger import Copy, Decision, Kind, Ledger, Mail, Record, broken, without_trace

TO = "b@client.example"
CONTENT = b"Message-ID: <one@crash.example>\r\n\r\nHello\r\n"
TRACE = b"Received: from x\r\n\tby guard (mailguard) id k1;\r\n\tSun, 22 Nov 2026 10:00:00 +0000\r\n"
MAIL = Mail(key="one", recipients=(TO,), content=CONTENT, id="k1")
ARRIVED = Copy(key="one", recipient=TO, life=1, content=TRACE + CONTENT)
SENT = Record(id="k1", key="one", states={TO: "sent"})
HELD = Record(id="k1", key="one", states={TO: "waiting"}, raw=CONTENT)
DROPPED = Record(id="k1", key="one", states={TO: "dropped"}, raw=CONTENT)
CANCEL = Decision(key="one", recipient=TO, kind=Kind.CANCEL, life=1, answered=True)
CUT_OFF = replace(CANCEL, answered=False)
RESTORE = replace(CANCEL, kind=Kind.RESTORE)
UNHEARD = replace(MAIL, id=None)
REFUSED = replace(MAIL, refused=frozenset({TO}))
FAILED = Record(id="k1", key="one", states={TO: "failed"})
REPORT = Record(id="k2", key="one", states={"a@corp.example": "sent"}, report=True)
TOLD = Copy(key="one", recipient="a@corp.example", life=1, content=b"--=_k2--\r\n", report=True)

KEPT = {
    "sent": Ledger(mails=[MAIL], copies=[ARRIVED], records=[SENT]),
    "held": Ledger(mails=[MAIL], records=[HELD]),
    "no 250, not there": Ledger(mails=[UNHEARD]),
    "no 250, sent all the same": Ledger(mails=[UNHEARD], copies=[ARRIVED], records=[SENT]),
    "cancelled": Ledger(mails=[MAIL], decisions=[CANCEL], records=[DROPPED]),
    "a cancel without an answer that came to nothing": Ledger(
        mails=[MAIL], decisions=[CUT_OFF], copies=[ARRIVED], records=[SENT]
    ),
    "a cancel without an answer that held": Ledger(mails=[MAIL], decisions=[CUT_OFF], records=[DROPPED]),
    "restored": Ledger(mails=[MAIL], decisions=[CANCEL, RESTORE], copies=[ARRIVED], records=[SENT]),
    "a restore without an answer that came to nothing": Ledger(
        mails=[MAIL], decisions=[CANCEL, replace(RESTORE, answered=False)], records=[DROPPED]
    ),
    "a second copy in the known window": Ledger(
        mails=[MAIL], copies=[ARRIVED, replace(ARRIVED, life=2)], records=[replace(SENT, doubts={TO: 1})]
    ),
    "a doubt that did no harm": Ledger(
        mails=[MAIL], copies=[ARRIVED], records=[replace(SENT, doubts={TO: 1})]
    ),
    "a cancel that owns to an earlier copy": Ledger(
        mails=[MAIL],
        decisions=[replace(CANCEL, life=2, clean=False)],
        copies=[ARRIVED],
        records=[replace(DROPPED, doubts={TO: 1})],
    ),
    "refused and reported": Ledger(mails=[REFUSED], copies=[TOLD], records=[FAILED, REPORT]),
}

BROKEN = {
    "lost: its client was told 250": Ledger(mails=[MAIL]),
    "lost: recorded as sent": Ledger(mails=[MAIL], records=[SENT]),
    "lost: nobody dropped": Ledger(mails=[MAIL], records=[DROPPED]),
    "lost: recorded as failed": Ledger(mails=[MAIL], copies=[TOLD], records=[FAILED, REPORT]),
    "recorded as k9": Ledger(mails=[MAIL], copies=[ARRIVED], records=[replace(SENT, id="k9")]),
    "recorded 2 times": Ledger(mails=[MAIL], copies=[ARRIVED], records=[SENT, replace(SENT, id="k9")]),
    "recorded nowhere": Ledger(mails=[UNHEARD], copies=[ARRIVED]),
    "nobody handed it in": Ledger(copies=[ARRIVED]),
    "handed in for": Ledger(mails=[MAIL], records=[replace(HELD, states={})]),
    "not those handed in": Ledger(mails=[MAIL], records=[replace(HELD, raw=CONTENT[:-3])]),
    "gone before it has left": Ledger(mails=[MAIL], records=[replace(HELD, raw=None)]),
    "torn or altered": Ledger(
        mails=[MAIL], copies=[replace(ARRIVED, content=ARRIVED.content[:-1])], records=[SENT]
    ),
    "although its cancel was answered": Ledger(
        mails=[MAIL], decisions=[CANCEL], copies=[ARRIVED], records=[SENT]
    ),
    "but it is recorded as waiting": Ledger(mails=[MAIL], decisions=[CANCEL], records=[HELD]),
    "sent to b@client.example although": Ledger(
        mails=[MAIL], decisions=[replace(CANCEL, clean=False)], copies=[ARRIVED], records=[DROPPED]
    ),
    "but is recorded as waiting": Ledger(mails=[MAIL], copies=[ARRIVED], records=[HELD]),
    "but is recorded as dropped": Ledger(
        mails=[MAIL], decisions=[CUT_OFF], copies=[ARRIVED], records=[DROPPED]
    ),
    "owns to 0 doubts": Ledger(mails=[MAIL], copies=[ARRIVED, replace(ARRIVED, life=2)], records=[SENT]),
    "in one life": Ledger(mails=[MAIL], copies=[ARRIVED, ARRIVED], records=[replace(SENT, doubts={TO: 1})]),
    "never told": Ledger(mails=[REFUSED], records=[FAILED, REPORT]),
    "2 reports on 1": Ledger(
        mails=[REFUSED], copies=[TOLD, TOLD], records=[FAILED, REPORT, replace(REPORT, id="k3")]
    ),
    "2 copies of 1 reports": Ledger(mails=[REFUSED], copies=[TOLD, TOLD], records=[FAILED, REPORT]),
    "torn report": Ledger(mails=[REFUSED], copies=[replace(TOLD, content=b"half")], records=[FAILED, REPORT]),
}


@pytest.mark.parametrize("what", KEPT)
def test_promises_that_were_kept(what: str) -> None:
    assert broken(KEPT[what]) == []


@pytest.mark.parametrize("what", BROKEN)
def test_promises_that_were_not(what: str) -> None:
    found = broken(BROKEN[what])
    assert any(what in sentence for sentence in found), found


def test_the_trace_field_ends_with_its_last_fold() -> None:
    assert without_trace(TRACE + CONTENT) == CONTENT
    assert without_trace(CONTENT) == CONTENT
    assert without_trace(b"Received: by x\r\n\r\nbody") == b"\r\nbody"

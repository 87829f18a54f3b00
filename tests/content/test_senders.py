"""Every way in which programs are known to read another sender than the guard: refused, or found."""

import pytest

from mailguard.core.hold import Action
from tests.content.inbox import Inbox

OWN = b"anne@corp.example"
BOSS = b"boss@corp.example"
REST = b"To: client@customer.example\r\nSubject: x\r\n\r\nHello\r\n"

SEVERAL = [
    b"From: %s\r\nFrom: %s\r\n" % (OWN, BOSS),
    b"From: %s\r\nFROM: %s\r\n" % (OWN, BOSS),
    b"From : %s\r\nFrom: %s\r\n" % (BOSS, OWN),
    b"From\t: %s\r\nX: y\r\nfrom:%s\r\n" % (BOSS, OWN),
    b"From: %s\r\nFrom\r\n : %s\r\n" % (OWN, BOSS),
    b"From:\r\nFrom: %s\r\n" % OWN,
    b"From: %s\r\n" % OWN + b"X: y\r\n" * 20_000 + b"From: %s\r\n" % BOSS,
]

ODD = {
    "another address": b"From: %s\r\n" % BOSS,
    "white space before the colon": b"From : %s\r\n" % BOSS,
    "a folded name": b"From\r\n : %s\r\n" % BOSS,
    "a folded value": b"From:\r\n %s\r\n" % BOSS,
    "white space before the name": b" From: %s\r\n" % OWN,
    "a field with a NUL in its name": b"From\x00: %s\r\n" % BOSS,
    "a NUL in the address": b"From: anne@corp.example\x00@boss.example\r\n",
    "several mailboxes": b"From: %s, %s\r\n" % (OWN, BOSS),
    "several mailboxes in brackets": b"From: <%s>, <%s>\r\n" % (BOSS, OWN),
    "two pairs of brackets": b"From: <%s> <%s>\r\n" % (OWN, BOSS),
    "brackets in brackets": b"From: <<%s>%s>\r\n" % (OWN, BOSS),
    "an address and brackets": b"From: %s <%s>\r\n" % (BOSS, OWN),
    "a display name": b'From: "%s" <%s>\r\n' % (BOSS, OWN),
    "a display name with brackets": b'From: "Boss <%s>" <%s>\r\n' % (BOSS, OWN),
    "a display name that is encoded": b"From: =?utf-8?b?Ym9zc0Bjb3JwLmV4YW1wbGU=?= <%s>\r\n" % OWN,
    "an encoded NUL": b"From: =?utf-8?q?boss=40corp.example=00?= <%s>\r\n" % OWN,
    "an encoded line end": b"From: =?utf-8?q?boss=0D=0ATo=3A_x?= <%s>\r\n" % OWN,
    "an encoded address": b"From: =?utf-8?q?boss=40corp.example?=\r\n",
    "an encoded address in brackets": b"From: <=?utf-8?q?boss=40corp.example?=>\r\n",
    "an encoded local part": b"From: =?utf-8?q?boss?=@corp.example\r\n",
    "a comment": b"From: (%s) %s\r\n" % (BOSS, OWN),
    "a comment in the address": b"From: anne(%s)@corp.example\r\n" % BOSS,
    "a comment that is not closed": b"From: %s (%s\r\n" % (OWN, BOSS),
    "a group": b"From: Boss: %s;\r\n" % BOSS,
    "a group named like an address": b"From: %s: %s;\r\n" % (BOSS, OWN),
    "an empty group": b"From: undisclosed:;\r\n",
    "a route": b"From: <@corp.example,@x.example:%s>\r\n" % OWN,
    "a percent route": b"From: boss%%corp.example@corp.example\r\n",
    "a quoted local part": b'From: "boss@corp.example"@corp.example\r\n',
    "a quotation mark that is not closed": b'From: "%s <%s>\r\n' % (BOSS, OWN),
    "an escape": b"From: %s\\,%s\r\n" % (BOSS, OWN),
    "text behind the brackets": b"From: <%s> %s\r\n" % (OWN, BOSS),
    "a semicolon": b"From: %s; %s\r\n" % (BOSS, OWN),
    "nothing": b"From:\r\n",
    "empty brackets": b"From: <>\r\n",
    "no From at all": b"",
    "no At sign": b"From: anne\r\n",
    "another Sender": b"From: %s\r\nSender: %s\r\n" % (OWN, BOSS),
    "a look-alike domain": "From: anne@c\u043erp.example\r\n".encode(),
    "a reversed name": "From: \u202eelpmaxe.proc@ssob <anne@corp.example>\r\n".encode(),
    "no width": "From: an\u200bne@corp.example\r\n".encode(),
    "raw 8 bits": b"From: boss\xff@corp.example\r\n",
    "a name without a colon": b"From %s\r\nSubject: y\r\n" % BOSS,
}


# Without any sender in it a message is only told of: its readers see no wrong one.
NOBODY = ("nothing", "no From at all", "empty brackets", "an empty group", "a name without a colon")


@pytest.mark.parametrize("head", SEVERAL, ids=range(len(SEVERAL)))
@pytest.mark.parametrize("user", ["anne", None])
async def test_more_than_one_from_field_is_refused(inbox: Inbox, head: bytes, user: str | None) -> None:
    reply = await inbox.accept(head + REST, user=user)
    assert (reply.code, reply.status) == (550, "5.6.0")
    assert "more than one From field" in reply.text


@pytest.mark.parametrize("form", ODD)
@pytest.mark.parametrize("user", ["anne", None])
async def test_an_odd_sender_is_found(inbox: Inbox, form: str, user: str | None) -> None:
    verdict = await inbox.judged(ODD[form] + REST, user=user)
    codes = {finding.check for finding in verdict.findings}
    assert codes & {"sender_not_own", "sender_mismatch", "display_name_deceives", "unreadable"}, form


@pytest.mark.parametrize("form", [form for form in ODD if form not in NOBODY])
async def test_with_a_login_none_of_them_leaves_just_so(inbox: Inbox, form: str) -> None:
    verdict = await inbox.judged(ODD[form] + REST, user="anne")
    assert verdict.action.rank >= Action.DELAY.rank, verdict.findings


@pytest.mark.parametrize(
    "head",
    [
        b"From: %s\r\n" % OWN,
        b"from:%s\r\n" % OWN,
        b"From : Anne <%s>\r\n" % OWN,
        b'From: "Anne, Sales" <%s>\r\n' % OWN,
        b"From: =?utf-8?q?Anne_M=C3=BCller?=\r\n <ANNE@corp.example>\r\n",
        b"From: %s (Anne)\r\n" % OWN,
        b"From: Anne <%s>\r\nSender: <%s>\r\n" % (OWN, OWN),
        b"From: %s\r\nX-From: %s\r\nResent-From: %s\r\n" % (OWN, BOSS, BOSS),
    ],
)
@pytest.mark.parametrize("user", ["anne", None])
async def test_an_honest_sender_is_left_alone(inbox: Inbox, head: bytes, user: str | None) -> None:
    verdict = await inbox.judged(head + REST, user=user)
    assert verdict.findings == ()


async def test_a_from_in_the_text_or_in_an_attached_message_is_none(inbox: Inbox) -> None:
    content = b"From: %s\r\n" % OWN + REST + b"From: %s\r\nFrom: %s\r\n" % (BOSS, BOSS)
    assert (await inbox.accept(content)).accepted

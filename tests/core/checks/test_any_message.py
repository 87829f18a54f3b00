"""Whatever a message and the memory of it are, no check fails, and each finding can be told in both
languages."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.core import address, wording
from mailguard.core.body import read_body
from mailguard.core.checks import CHECKS
from mailguard.core.facts import Body, Facts
from mailguard.core.invitation import Invitation
from mailguard.core.message import read_headers
from mailguard.core.policy import Policy
from mailguard.core.recollection import Acquaintance, Companion, Contact, Recollection
from tests.facts import facts

PEOPLE = (
    "anne@corp.example",
    "bob.stone@client.example",
    "bob.stone@c1ient.example",
    "Éve.Dupont@client.example",
    "eve.dupont@gmail.com",
    "a",
    "",
    "@",
    '"x y"@corp.example',
    "a@b@c",
    "\u202emoc@corp.example",
    "p@xn--80ak6aa92e.example",
    "postmaster@[192.0.2.1]",
)
WORDS = (
    "Dear Robert,\n",
    "Bonjour Éric,\n",
    "please find attached",
    "veuillez trouver ci-joint",
    "confidential",
    "diffusion restreinte",
    "-----Original Message-----\nFrom: Bob <bob.stone@client.example>\n",
    "Le lun. 5 janv. 2026, Anne a écrit :\n> oui\n",
    "\x00\ud800é\u2028",
    "x" * 300,
    "\n> ",
)
WHO = st.sampled_from(PEOPLE)
COUNT = st.integers(0, 400)
TEXT = st.lists(st.sampled_from(WORDS), max_size=6).map("".join)
CONTACT = st.builds(Contact, address=WHO, mails=COUNT)
KNOWN = st.builds(
    Acquaintance,
    address=WHO,
    mails=COUNT,
    back=COUNT,
    known_here=st.booleans(),
    domain_known=st.booleans(),
    usual=st.none() | CONTACT,
    near=st.none() | CONTACT,
    near_domain=st.sampled_from(("", "client.example")),
    in_thread=st.booleans(),
    wrote=st.booleans(),
    added=st.booleans(),
    per_thousand=st.floats(0, 1000),
)
REMEMBERED = st.builds(
    Recollection,
    mails=COUNT,
    people=st.lists(KNOWN, max_size=4).map(lambda all_: {address.normal(one.address): one for one in all_}),
    missing=st.lists(st.builds(Companion, address=WHO, together=COUNT, of=COUNT), max_size=2).map(tuple),
    identity=st.none() | CONTACT,
    answered=st.lists(WHO, max_size=3).map(tuple),
    greeted=st.none() | CONTACT,
    organisations=st.frozensets(st.sampled_from(("client.example", "", "a"))),
)
BODY = st.builds(
    Body,
    text=TEXT,
    own_text=TEXT,
    attachments=st.lists(st.sampled_from(("", "Offer client.pdf", "é.xlsx")), max_size=2).map(tuple),
    invitation=st.builds(
        Invitation, people=st.lists(WHO, max_size=3).map(tuple), by=st.lists(WHO, max_size=1).map(tuple)
    ),
)
HEADER = st.lists(
    st.tuples(
        st.sampled_from(("From", "To", "Cc", "Subject", "In-Reply-To", "Sensitivity", "Sender")),
        st.sampled_from(
            (*PEOPLE, '"bob@client.example" <eve@x.example>', "Re: TR: offre", "<1@x>", "private")
        ),
    ),
    max_size=8,
).map(lambda fields: "".join(f"{name}: {value}\r\n" for name, value in fields).encode("utf-8", "replace"))


@given(st.lists(WHO, min_size=1, max_size=5), WHO, HEADER, BODY, REMEMBERED, st.lists(WHO, max_size=3))
@settings(max_examples=300, deadline=None)
def test_no_check_fails(
    to: list[str], sender: str, header: bytes, body: Body, memory: Recollection, thread: list[str]
) -> None:
    message = facts(
        *to,
        sender=sender,
        headers=read_headers(header + b"\r\n"),
        body=body,
        recollection=memory,
        participants=thread,
        own=(sender,),
    )
    _each(message, set(to))


def _each(message: Facts, to: set[str]) -> None:
    for policy in (Policy(), Policy(internal_domains=("corp.example",))):
        for check in CHECKS:
            for finding in check.run(message, policy):
                assert finding.check == check.code
                assert finding.recipient is None or finding.recipient in to
                said = [wording.sentence(finding, language) for language in wording.LANGUAGES]
                assert len(set(said)) == len(said)


ODD = (
    b"",
    b"\r\n",
    b"To: " + b"<" * 5000 + b"\r\n\r\n",
    b"Content-Type: text/calendar\r\n\r\nMETHOD:REQUEST\r\nATTENDEE:mailto:\xff@\xfe\r\n",
    b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n",
    b"From: =?x?q?=00?= <a@b>\r\nSubject: =?utf-8?b?////?=\r\n\r\nDear \xc3\r\n",
    bytes(range(256)) * 8,
)


@pytest.mark.parametrize("content", ODD, ids=range(len(ODD)))
def test_odd_bytes_are_judged(content: bytes) -> None:
    when = datetime(2026, 1, 5, tzinfo=UTC)
    _each(
        facts("b@client.example", headers=read_headers(content), body=read_body(content), now=when),
        {"b@client.example"},
    )

"""Paths and parameters of MAIL FROM and RCPT TO: what is taken is taken letter for letter."""

import re
from datetime import UTC, timedelta

import pytest

from mailguard.core.envelope import MailParameters, Recipient
from mailguard.core.errors import SyntaxRefused
from mailguard.core.smtp_syntax import LONGEST_HOLD, parse_mail, parse_rcpt
from tests.making import NOW


def mail(argument: str | bytes) -> tuple[str, MailParameters]:
    return parse_mail(argument.encode() if isinstance(argument, str) else argument, now=NOW)


def rcpt(argument: str | bytes, *, smtputf8: bool = True) -> Recipient:
    return parse_rcpt(argument.encode() if isinstance(argument, str) else argument, smtputf8=smtputf8)


def refused_mail(argument: str | bytes) -> int:
    with pytest.raises(SyntaxRefused) as refused:
        mail(argument)
    return refused.value.code


def refused_rcpt(argument: str | bytes, *, smtputf8: bool = True) -> int:
    with pytest.raises(SyntaxRefused) as refused:
        rcpt(argument, smtputf8=smtputf8)
    return refused.value.code


GOOD = [
    "a@b",
    "ann@corp.example",
    "Ann.Smith+tag@Corp.Example",
    "!#$%&'*+-/=?^_`{|}~@b.example",
    "user%host@b.example",
    "host!user@b.example",
    '"john doe"@b.example',
    '""@b.example',
    '"a@evil.example"@b.example',
    '"a\\"b\\\\c"@b.example',
    '"<a>"@b.example',
    "a@a_b.example",
    "a@1.2.3",
    "a@xn--bcher-kva.example",
    "a@[127.0.0.1]",
    "a@[IPv6:2001:db8::1]",
    "a@[ipv6:::1]",
    "a" * 64 + "@b.example",
    "a@" + ".".join(["b" * 61] * 4),
    "a@" + "b" * 63,
]

OTHER_SCRIPTS = [
    "zoë@corp.example",
    "用户@例え.example",
    '"zoë x"@b.example',
    "a@bücher.example",
    "\u0645\u06cc\u200c\u062e@b.example",
    "a@zoe\u0308.example",
]


@pytest.mark.parametrize("address", [*GOOD, *OTHER_SCRIPTS])
def test_an_address_is_taken_as_it_is(address: str) -> None:
    parameters = "" if address.isascii() else " SMTPUTF8"
    assert mail(f"FROM:<{address}>{parameters}")[0] == address
    assert mail(f"from: <{address}>{parameters}")[0] == address
    assert rcpt(f"TO:<{address}>") == Recipient(address=address)
    assert rcpt(f"to:  <{address}> NOTIFY=NEVER").address == address


BAD = [
    "",
    "a",
    "Postmaster",
    "@b.example",
    "a@",
    ".a@b.example",
    "a.@b.example",
    "a..b@c.example",
    "a@.b.example",
    "a@b..example",
    "a@b.example.",
    "a@-b.example",
    "a@b-.example",
    "a@b$.example",
    "a@b@c.example",
    "a b@c.example",
    "a@b c.example",
    "a\tb@c.example",
    "a\x00@b.example",
    "a@b\x00.example",
    "a\x7f@b.example",
    '"a@b.example',
    'a"b@c.example',
    '"a"b@c.example',
    '"a\tb"@c.example',
    '"a\\\tb"@c.example',
    "a(comment)@b.example",
    "(comment)a@b.example",
    "a@b.example(comment)",
    "@x.example:a@b.example",
    "@x.example,@y.example:a@b.example",
    "=?utf-8?q?a=40x.example?=@b.example",
    '"=?utf-8?q?a?="@b.example',
    "=?x?=@b.example",
    "a@[127.0.0.1",
    "a@127.0.0.1]",
    "a@[]",
    "a@[127.0.0]",
    "a@[256.0.0.1]",
    "a@[127.0.0.01]",
    "a@[::1]",
    "a@[IPv6:]",
    "a@[IPv6:x]",
    "a@[IPv6:fe80::1%eth0]",
    "a@[tag:x]",
    "a" * 65 + "@b.example",
    "a@" + "b" * 64,
    "a@" + ".".join(["b" * 63] * 4),
    "a,b@c.example",
    "a:b@c.example",
    "a;b@c.example",
    "a<b@c.example",
    "a>b@c.example",
    "a\\b@c.example",
]


@pytest.mark.parametrize("address", BAD)
def test_what_is_no_address_is_refused(address: str) -> None:
    if address:
        assert refused_mail(f"FROM:<{address}>") in (501, 553)
    assert refused_rcpt(f"TO:<{address}>") in (501, 553)


BAD_IN_OTHER_SCRIPTS = [
    "a\u202eb@c.example",
    "a\u200bb@c.example",
    "a\u00a0b@c.example",
    "a\u0085b@c.example",
    "a\ufeffb@c.example",
    "a@b\u3002example",
    "a@b\uff0eexample",
    "a@\uff42.example",
    "a@-ü.example",
    "a@ü-.example",
    "a@ü..example",
    "a@b\u200d.example",
    "a\uff20ü.example",
    "a@ü@x.example",
]


@pytest.mark.parametrize("address", BAD_IN_OTHER_SCRIPTS)
def test_what_only_misleads_a_reader_is_refused(address: str) -> None:
    assert refused_mail(f"FROM:<{address}> SMTPUTF8") in (501, 553)
    assert refused_rcpt(f"TO:<{address}>") in (501, 553)


def test_other_scripts_need_smtputf8_and_utf8() -> None:
    assert refused_mail("FROM:<zoë@corp.example>") == 553
    assert refused_rcpt("TO:<zoë@corp.example>", smtputf8=False) == 553
    assert refused_rcpt(b"TO:<zo\xeb@corp.example>") == 553
    assert refused_rcpt(b"TO:<a@\xc3.example>") == 553
    assert refused_rcpt(b"TO:<\xed\xa0\x80@corp.example>") == 553


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "FROM",
        "FROM:",
        "FROM<a@b.example>",
        "TO:<a@b.example>",
        "FROM:a@b.example",
        "FROM:\t<a@b.example>",
        "FROM:Ann <a@b.example>",
        "FROM:<a@b.example>SIZE=1",
        "FROM:<a@b.example>\tSIZE=1",
        "FROM:<a@b.example>, <c@d.example>",
        "FROM:<a@b.example> <c@d.example>",
        "FROM:<>x",
        "FROM:<a@b.example> =1",
        "FROM:<a@b.example> SIZE==1",
        "FROM:<a@b.example> -X",
    ],
)
def test_what_is_no_argument_is_refused(argument: str) -> None:
    assert refused_mail(argument) == 501


def test_the_null_path_is_for_senders_only() -> None:
    assert mail("FROM:<>") == ("", MailParameters())
    assert mail("FROM:<> SIZE=5") == ("", MailParameters(size=5))
    assert refused_rcpt("TO:<>") == 553


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("SIZE=0", MailParameters(size=0)),
        ("size=18446744073709551615", MailParameters(size=18446744073709551615)),
        ("BODY=7BIT", MailParameters(body="7BIT")),
        ("BODY=8BitMime", MailParameters(body="8BITMIME")),
        ("SMTPUTF8", MailParameters(smtputf8=True)),
        ("RET=full", MailParameters(ret="full")),
        ("ENVID=Ab+2B+3D.c", MailParameters(envid="Ab+2B+3D.c")),
        ("ENVID=" + "x" * 100, MailParameters(envid="x" * 100)),
        ("AUTH=<>", MailParameters(auth="<>")),
        ("AUTH=e+3Dmc2@example.com", MailParameters(auth="e+3Dmc2@example.com")),
        ("SIZE=1  RET=HDRS ", MailParameters(size=1, ret="HDRS")),
        ("HOLDFOR=90", MailParameters(hold_until=NOW + timedelta(seconds=90))),
        ("HOLDFOR=604800", MailParameters(hold_until=NOW + LONGEST_HOLD)),
        ("HOLDFOR=0", MailParameters()),
        ("HOLDUNTIL=2026-11-22T11:00:00Z", MailParameters(hold_until=NOW + timedelta(hours=1))),
        (
            "HOLDUNTIL=2026-11-22t11:00:00.5z",
            MailParameters(hold_until=NOW + timedelta(hours=1, seconds=0.5)),
        ),
        ("HOLDUNTIL=2026-11-22T13:00:00+02:00", MailParameters(hold_until=NOW + timedelta(hours=1))),
        ("HOLDUNTIL=2026-11-22T09:00:00Z", MailParameters()),
    ],
)
def test_parameters(text: str, parameters: MailParameters) -> None:
    assert mail(f"FROM:<a@b.example> {text}") == ("a@b.example", parameters)


def test_a_wish_is_kept_in_utc() -> None:
    until = mail("FROM:<a@b.example> HOLDUNTIL=2026-11-22T13:00:00+02:00")[1].hold_until
    assert until is not None
    assert until.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SIZE", 501),
        ("SIZE=", 501),
        ("SIZE=-1", 501),
        ("SIZE=²", 501),
        ("SIZE=\u0661", 501),
        ("SIZE=" + "9" * 21, 501),
        ("SIZE=1 size=1", 501),
        ("BODY=BINARYMIME", 501),
        ("BODY", 501),
        ("SMTPUTF8=yes", 501),
        ("RET=ALL", 501),
        ("ENVID=", 501),
        ("ENVID=a+0Ab", 501),
        ("ENVID=a+7F", 501),
        ("ENVID=a+2b", 501),
        ("ENVID=a+", 501),
        ("ENVID=" + "x" * 101, 501),
        ("AUTH=", 501),
        ("AUTH=a+0D+0Ab", 501),
        ("HOLDFOR=", 501),
        ("HOLDFOR=1h", 501),
        ("HOLDFOR=604801", 501),
        ("HOLDFOR=999999999", 501),
        ("HOLDUNTIL=tomorrow", 501),
        ("HOLDUNTIL=2026-11-22T11:00:00", 501),
        ("HOLDUNTIL=2026-13-22T11:00:00Z", 501),
        ("HOLDUNTIL=9999-12-31T23:59:59-23:59", 501),
        ("HOLDUNTIL=2026-11-29T10:00:01Z", 501),
        ("HOLDFOR=1 HOLDUNTIL=2026-11-22T11:00:00Z", 501),
        ("NOTIFY=NEVER", 555),
        ("MT-PRIORITY=3", 555),
        ("REQUIRETLS", 555),
        ("X", 555),
    ],
)
def test_parameters_that_are_refused(text: str, code: int) -> None:
    assert refused_mail(f"FROM:<a@b.example> {text}") == code


@pytest.mark.parametrize(
    ("text", "notify", "orcpt"),
    [
        ("NOTIFY=never", "never", None),
        ("notify=SUCCESS,Failure,DELAY", "SUCCESS,Failure,DELAY", None),
        ("ORCPT=rfc822;Bob+2BX@Client.Example", None, "rfc822;Bob+2BX@Client.Example"),
        ("ORCPT=utf-8;zoë@b.example", None, "utf-8;zoë@b.example"),
        ("ORCPT=utf-8;zo\\x{EB}@b.example", None, "utf-8;zo\\x{EB}@b.example"),
        ("ORCPT=x;y NOTIFY=DELAY", "DELAY", "x;y"),
    ],
)
def test_wishes_for_reports_are_kept_letter_for_letter(
    text: str, notify: str | None, orcpt: str | None
) -> None:
    assert rcpt(f"TO:<a@b.example> {text}") == Recipient(address="a@b.example", notify=notify, orcpt=orcpt)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("NOTIFY=", 501),
        ("NOTIFY=NEVER,DELAY", 501),
        ("NOTIFY=DELAY,", 501),
        ("NOTIFY=ALWAYS", 501),
        ("ORCPT=rfc822", 501),
        ("ORCPT=;x", 501),
        ("ORCPT=rfc822;a+0Ab", 501),
        ("ORCPT=rfc822;zoë@b.example", 501),
        ("ORCPT=utf-8;a\u202eb", 501),
        ("ORCPT=rfc822;" + "x" * 500, 501),
        ("NOTIFY=DELAY NOTIFY=DELAY", 501),
        ("SIZE=1", 555),
        ("RRVS=2014-04-03T23:01:00Z", 555),
    ],
)
def test_wishes_for_reports_that_are_refused(text: str, code: int) -> None:
    assert refused_rcpt(f"TO:<a@b.example> {text}") == code


def test_utf8_in_orcpt_needs_smtputf8_and_utf8() -> None:
    assert refused_rcpt("TO:<a@b.example> ORCPT=utf-8;zoë@b.example", smtputf8=False) == 501
    assert refused_rcpt(b"TO:<a@b.example> ORCPT=utf-8;zo\xeb@b.example") == 501


def test_a_refusal_tells_what_is_wrong_and_nothing_of_the_input() -> None:
    for argument, told in (
        ("FROM:<a>", "needs a domain"),
        ("FROM:<@x:a@b>", "Source routes"),
        ("FROM:<a@b@c>", "not a valid address"),
        ("FROM:a@b", "angle brackets"),
        ("FROM:<a@b> SECRET=1", "SECRET"),
    ):
        with pytest.raises(SyntaxRefused, match=re.escape(told)) as refused:
            mail(argument)
        assert refused.value.status.startswith("5.")

"""Address lists taken apart, and the traps that other parsers fall into."""

import time

import pytest

from mailguard.core import mailboxes


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("a@b.example", ("a@b.example",)),
        ("A B <a@b.example>, c@d.example", ("a@b.example", "c@d.example")),
        ('"B, A" <a@b.example>', ("a@b.example",)),
        ('"say \\"hi, you\\"" <a@b.example>,<c@d.example>', ("a@b.example", "c@d.example")),
        ('"a b"@c.example', ('"a b"@c.example',)),
        ('<"a,b"@c.example>', ('"a,b"@c.example',)),
        ("undisclosed-recipients:;", ()),
        (
            'Team: a@b.example, "X, Y" <c@d.example>;, e@f.example',
            ("a@b.example", "c@d.example", "e@f.example"),
        ),
        ("a@b.example (the (nested), comment)", ("a@b.example",)),
        ('x (comment "with one quote) <q@y.example>, "foo" <z@w.example>', ("q@y.example", "z@w.example")),
        ("a@[IPv6:2001:db8::1], x <b@[192.0.2.1]>", ("a@[IPv6:2001:db8::1]", "b@[192.0.2.1]")),
        ("<@route.example:u@host.example>", ("@route.example:u@host.example",)),
        # An encoded word is part of the name, whatever it would say if it were decoded.
        ("=?utf-8?q?a=40evil=2C?= <q@r.example>", ("q@r.example",)),
        (" ,, a@b.example , ", ("a@b.example",)),
        ("", ()),
        ("x <>", ()),
    ],
)
def test_sound_lists(value: str, addresses: tuple[str, ...]) -> None:
    assert mailboxes.split(value) == (addresses, True)


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        # CVE-2023-27043: one address, and not a plain one.
        ("alice@example.org)bob@evil.example", ("alice@example.org)bob@evil.example",)),
        ("a@b.example (unclosed, c@d.example", ("a@b.example",)),
        ("<a@x.example> <b@y.example>", ("a@x.example", "b@y.example")),
        ("<a@x.example>b@y.example, c@d.example", ("a@x.example", "c@d.example")),
        ('"abc <x@y.example>', ("x@y.example",)),
        ("<a@b.example", ("a@b.example",)),
        ("a@b.example>", ("a@b.example>",)),
        ("<a@b.example:c", ("a@b.example:c",)),
    ],
)
def test_lists_that_make_no_sense_are_told(value: str, addresses: tuple[str, ...]) -> None:
    assert mailboxes.split(value) == (addresses, False)


def test_the_name_is_not_the_address() -> None:
    assert mailboxes.split("boss@corp.example <evil@elsewhere.example>") == (
        ("evil@elsewhere.example",),
        True,
    )


def test_text_that_is_no_address_comes_back_as_it_stands() -> None:
    assert mailboxes.split("Doe, John <j@x.example>, bob at x") == (("Doe", "j@x.example", "bob at x"), True)


@pytest.mark.parametrize(
    "piece", [";", "(", '"(', '("', "a:", "<", "<>", '"\\', "[", "[a]", ",", "a@b,", "a ", "\\"]
)
def test_a_hundred_kilobytes_of_anything_take_no_time(piece: str) -> None:
    begun = time.perf_counter()
    mailboxes.split(piece * (100_000 // len(piece)))
    assert time.perf_counter() - begun < 2

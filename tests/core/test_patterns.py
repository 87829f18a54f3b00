import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core import address
from mailguard.core.patterns import compile_patterns, domains
from mailguard.core.policy import Policy

OURS = Policy(internal_domains=("corp.example", "*.corp.example"))
GROUPS = {"executives": compile_patterns(["ceo@corp.example", "ea-*@corp.example"], {})}


def covers(pattern: str, text: str) -> bool:
    patterns = compile_patterns([pattern], GROUPS)
    return patterns.cover(address.parse(text), external=not OURS.internal(text))


@pytest.mark.parametrize(
    ("pattern", "text", "covered"),
    [
        ("internal", "a@corp.example", True),
        ("Internal", "a@deep.down.corp.example", True),
        ("internal", "a@notcorp.example", False),
        ("internal", "a@corp.example.evil.example", False),
        ("external", "a@client.example", True),
        ("external", "a@corp.example", False),
        ("@client.example", "x@client.example", True),
        ("@client.example", "x@CLIENT.example.", True),
        ("@client.example", "x@sub.client.example", False),
        ("@client.example", "x@notclient.example", False),
        ("@client.example", "x@client.example.evil.example", False),
        ("@*.client.example", "x@sub.client.example", True),
        ("@*.client.example", "x@a.b.client.example", True),
        ("@*.client.example", "x@client.example", False),
        ("@*.client.example", "x@subclient.example", False),
        ("bob@client.example", "BOB@Client.Example", True),
        ("bob@client.example", "xbob@client.example", False),
        ("bob@client.example", "bob+tag@client.example", False),
        ("bob@client.example", '"bob"@client.example', True),
        ("ea-*@corp.example", "ea-anne@corp.example", True),
        ("ea-*@corp.example", "tea-anne@corp.example", False),
        ("ea-*@corp.example", "ea-anne@sub.corp.example", False),
        ("bob@*.client.example", "bob@eu.client.example", True),
        ("bob@*.client.example", "bob@client.example", False),
        ("group:executives", "EA-x@corp.example", True),
        ("group:executives", "cfo@corp.example", False),
        # One domain, four spellings.
        ("@bücher.example", "a@xn--bcher-kva.example", True),
        ("@xn--bcher-kva.example", "a@BÜCHER.example", True),
        ("@bücher.example", "a@bu\u0308cher.example", True),
        ("@bücher.example", "a@bücher\u3002example", True),
        ("é@client.example", "E\u0301@client.example", True),
        # A Cyrillic look-alike is another domain.
        ("@example.org", "a@\u0435xample.org", False),
        # A dot is a dot.
        ("a.b@client.example", "axb@client.example", False),
        ("@client.example", "x@clientxexample", False),
    ],
)
def test_a_pattern_covers_whole_addresses(pattern: str, text: str, covered: bool) -> None:
    assert covers(pattern, text) is covered


@pytest.mark.parametrize(
    "text",
    [
        "",
        "postmaster",
        "a%b@corp.example",
        "b!a@corp.example",
        "a@",
        "@corp.example",
        "a@corp..example",
        "a b@corp.example",
    ],
)
def test_what_cannot_be_understood_is_external_and_nothing_else(text: str) -> None:
    assert not OURS.internal(text)
    assert covers("external", text)
    # Nor where a caller takes it for one of ours.
    for patterns, covered in ((["external"], True), (["internal"], False), (["@corp.example"], False)):
        cover = compile_patterns(patterns, {}).cover
        assert cover(address.parse(text), external=False) is covered
    for pattern in ("internal", "@corp.example", "@*.corp.example", "*@corp.example", "group:executives"):
        assert not covers(pattern, text)


@given(st.text(max_size=40))
def test_garbage_is_external(text: str) -> None:
    garbage = text.replace("@", "")
    assert not OURS.internal(garbage)
    assert covers("external", garbage)


@given(st.text(max_size=20), st.text(max_size=20))
def test_an_address_is_internal_or_external_never_both(local: str, domain: str) -> None:
    text = f"{local}@{domain}"
    assert covers("internal", text) is not covers("external", text)
    parsed = address.parse(text)
    if not (parsed.plain and (parsed.domain + ".").endswith("corp.example.")):
        assert covers("external", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        "@",
        "@*",
        "*",
        "bob@",
        "@corp.*",
        "@*corp.example",
        "@a b",
        "a b@c",
        "group:",
        "group:nobody",
        "a%b@c",
    ],
)
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no (address pattern|domain|group)"):
        compile_patterns([text], GROUPS)


def test_alternatives_are_joined() -> None:
    patterns = compile_patterns(["@a.example", "b@b.example", "group:executives"], GROUPS)
    for text, covered in (
        ("x@a.example", True),
        ("b@b.example", True),
        ("ceo@corp.example", True),
        ("x@b.example", False),
    ):
        assert patterns.cover(address.parse(text), external=True) is covered


def test_a_star_in_a_domain_does_not_mean_the_domain_itself() -> None:
    assert not domains(("*.corp.example",)).cover("corp.example")
    assert domains(("*.corp.example",)).cover("x.corp.example")


def test_no_domain_is_ours_by_default() -> None:
    assert not Policy().internal("a@localhost")

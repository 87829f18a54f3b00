import contextlib
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.errors import ConfigurationError
from mailguard.edge.config.toml_source import LARGEST, Place, parse_toml, read_toml

TEXT = r'''# a comment with "quotes" and [brackets]
top = 1
dotted.key = 2
"quoted key" = 3
'literal.key' = 4

[table] # after
a = "# no comment"
b = [
  1,
  # between
  "two", [3,
    4],
  { x = 5, y = { z = 6 } },
]
text = """
[not.a.table]
quote: \"""" # after
after = 7
literal = QQQ
[[nor.this]]QQQ
end = 8

[table.sub]
c = 1979-05-27T07:32:00Z
[[rule]]
name = "one"
when = { to = "a", header = { X-A = ["b",
  "c"] } }
[[rule]]
name = "two"
[rule.when]
to = "x"
[[rule.part]]
p = 1
[[rule.part]]
p = 2
'''.replace("QQQ", "'''")


def lines_of(text: str) -> dict[Place, int]:
    return dict(parse_toml(text.encode(), "x.toml").lines)


def test_every_key_has_its_line() -> None:
    rows = TEXT.split("\n")
    lines = lines_of(TEXT)

    def row(place: Place) -> str:
        return rows[lines[place] - 1].strip()

    assert row(("top",)) == "top = 1"
    assert row(("dotted", "key")) == "dotted.key = 2"
    assert row(("quoted key",)) == '"quoted key" = 3'
    assert row(("literal.key",)) == "'literal.key' = 4"
    assert row(("table",)) == "[table] # after"
    assert row(("table", "b", 1)) == '"two", [3,'
    assert row(("table", "b", 2, 1)) == "4],"
    assert row(("table", "b", 3, "y", "z")) == "{ x = 5, y = { z = 6 } },"
    assert row(("table", "after")) == "after = 7"
    assert row(("table", "end")) == "end = 8"
    assert row(("table", "sub", "c")).startswith("c = 1979")
    assert row(("rule", 0, "name")) == 'name = "one"'
    assert row(("rule", 0, "when", "header", "X-A", 1)) == '"c"] } }'
    assert row(("rule", 1, "name")) == 'name = "two"'
    assert row(("rule", 1, "when", "to")) == 'to = "x"'
    assert row(("rule", 1, "part", 1, "p")) == "p = 2"
    assert ("not", "a", "table") not in lines


def test_a_value_that_is_not_there_has_the_line_of_its_table() -> None:
    source = parse_toml(b"\n[smtp]\nlisten = []\n", "x.toml")
    assert source.line(("smtp", "listen")) == 3
    assert source.line(("smtp", "tls_cert")) == 2
    assert source.line(("nothing",)) is None
    assert source.line(()) is None


def test_crlf_and_a_byte_order_mark_are_fine() -> None:
    source = parse_toml("\ufeffa = 1\r\n[t]\r\nb = '''x\r\ny'''\r\nc = 2\r\n".encode(), "x.toml")
    assert source.data == {"a": 1, "t": {"b": "x\ny", "c": 2}}
    assert source.lines[("t", "c")] == 5


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a = 1\nb = \nc = 3\n", "x.toml:2: invalid value; expected valid TOML"),
        (b"a = 1\n[smtp\n", "x.toml:2: expected ']' at the end of a table declaration; expected valid TOML"),
        (b"a = 1\n\na = 2\n", "x.toml:3: cannot overwrite a value; expected valid TOML"),
        (b'a = "never ends\n\n', "x.toml:1: "),
        (b"a = 1\nb = '\xff'\n", "x.toml:2: there are bytes that are no UTF-8 text; "),
        (b"a = " + b"[" * 100_000, "x.toml: lists or tables are nested too deeply; expected valid TOML"),
    ],
)
def test_a_syntax_error_has_a_line(content: bytes, told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_toml(content, "x.toml")
    assert str(error.value).startswith(told)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read: No such file"):
        read_toml(tmp_path / "gone.toml")
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(ConfigurationError, match="far too large"):
        read_toml(huge)


# Values that a file could have, written with few spellings, and read back.

NAMES = st.sampled_from(["a", "b-1", "c_d", "x y", 'q"', "é", ""])
SCALARS = st.one_of(
    st.integers(-9, 9), st.booleans(), st.floats(allow_nan=False, width=16), st.text(max_size=6), st.none()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)


def quoted(text: str) -> str:
    escaped = "".join(
        f"\\U{ord(char):08x}" if char in '"\\' or not char.isprintable() else char for char in text
    )
    return f'"{escaped}"'


def written(value: object) -> str:
    if value is None:
        return "'''\n# [x]\n'''"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[ # list\n" + "".join(f"{written(each)},\n" for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {written(each)}" for key, each in value.items()) + "}"
    return str(value)


def places(value: object, at: Place = ()) -> set[Place]:
    inner: set[Place] = {at} if at else set()
    if isinstance(value, dict):
        return inner.union(*(places(each, (*at, key)) for key, each in value.items()))
    if isinstance(value, list):
        return inner.union(*(places(each, (*at, index)) for index, each in enumerate(value)))
    return inner


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_the_scanner_finds_exactly_what_tomllib_finds(data: dict[str, object]) -> None:
    surrogates = any(0xD800 <= ord(char) <= 0xDFFF for char in str(data))
    if surrogates:
        return
    text = "".join(f"{quoted(key)} = {written(value)} # end\n" for key, value in data.items())
    assert set(lines_of(text)) == places(tomllib.loads(text))


@given(st.text(alphabet="ab.=[]{}\"'#,\n \\1", max_size=40))
def test_no_text_hangs_the_scanner(text: str) -> None:
    try:
        source = parse_toml(text.encode(), "x.toml")
    except ConfigurationError:
        return
    assert places(source.data) <= set(source.lines) | {()}


@pytest.mark.parametrize("content", [b"size = " + b"9" * 5000, b"a = " + b"[" * 496 + b"]" * 496])
def test_what_python_cannot_hold_is_a_fault_too(content: bytes) -> None:
    with contextlib.suppress(ConfigurationError):
        parse_toml(content, "rules.toml")

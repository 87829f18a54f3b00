"""HTML as the reader sees it."""

import time

import pytest

from mailguard.core.markup import to_text
from mailguard.core.quoted import own_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<p>Hello <b>Bob</b>,</p><p>see the\n attached&nbsp;file</p>",
            "Hello Bob,\n\nsee the attached file",
        ),
        ("a<br>b<BR/>c", "a\nb\nc"),
        ("<head><title>no</title></head><style>p{a>b}</style><script>if(a<b){}</script>yes", "yes"),
        ("a<!-- <b>no</b> > -->b", "ab"),
        ("<a href='x>y' title=\"a>b\">link</a>!", "link!"),
        ('<p class=x">text</p>', "text"),
        ("&eacute;&#233;&#xE9;&amp;lt;&euro", "ééé&lt;€"),
        ("&#0;&#8238;&#99999999;x", "&#99999999;x"),
        ("2 < 3 and 4 > 1", "2 < 3 and 4 > 1"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\n\nc"),
        ("x<script>never closed attached", "x"),
        ("x<!-- never closed", "x"),
        ("x<a never closed", "x"),
        ("", ""),
    ],
)
def test_visible_text(html: str, text: str) -> None:
    assert to_text(html) == text


def test_quoted_mail_is_marked_and_an_indented_paragraph_is_not() -> None:
    html = (
        "<div>mine</div><blockquote style='margin:40px'>also mine</blockquote>"
        "<div class=gmail_attr>On Mon, 1 Jan 2024 Bob &lt;b@x&gt; wrote:<br></div>"
        "<blockquote class='gmail_quote'><p>old</p><blockquote type=cite>older</blockquote></blockquote>end"
    )
    text = to_text(html)
    assert "\nalso mine\n" in text
    assert "\n> older\n" in text
    assert own_text(text).split() == ["mine", "also", "mine", "end"]


PIECES = [
    *("<", "<a", '<a "', '<a ="', "<a =", "</", "<!--", "<script>", "<script", "<div>", "<blockquote>"),
    *("<blockquote cite>", "</blockquote>", "<b></p>", "&", "&#9", "&notin", "<td>", " ", "<br>", "\x01\n"),
]


@pytest.mark.parametrize("piece", PIECES)
def test_hostile_markup_costs_little(piece: str) -> None:
    begun = time.perf_counter()
    to_text(piece * (262_144 // len(piece)))
    assert time.perf_counter() - begun < 2


def test_a_number_of_many_digits_is_no_character() -> None:
    assert to_text("&#" + "9" * 5000 + ";").startswith("&#9")

"""The inside of a message: its text, its files, and its HTML without anything that acts or fetches."""

import re
from email.message import EmailMessage

import pytest

from mailguard.edge.web.letter import LONGEST_TEXT, clean_html, read

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='http://evil.example/pixel.png'>",
    "<a href='javascript:alert(1)' onclick='alert(1)'>press</a>",
    "<a href='http://evil.example/'>press</a>",
    "<iframe src='http://evil.example/'></iframe>",
    "<svg><script>alert(1)</script><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<style>@import url(http://evil.example/x.css); body { background: url(http://evil.example/) }</style>",
    "<p style='background:url(http://evil.example/)'>x</p>",
    "<base href='http://evil.example/'><form action='/'><input name=csrf><button>x</button></form>",
    "<meta http-equiv='refresh' content='0;url=http://evil.example/'>",
    "<object data='http://evil.example/'></object><embed src='http://evil.example/'>",
    "<link rel=stylesheet href='http://evil.example/'><video src=//evil.example poster=//evil.example>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<x-y onpointerrawupdate=alert(1)>x</x-y>",
    "<!--[if mso]><script>alert(1)</script><![endif]-->",
]


def mail(html: str = "", text: str = "Hello", **files: bytes) -> bytes:
    made = EmailMessage()
    made["Subject"] = "x"
    made.set_content(text)
    if html:
        made.add_alternative(html, subtype="html")
    for name, content in files.items():
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=f"{name}.bin")
    return made.as_bytes()


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_in_html_acts_or_fetches(html: str) -> None:
    cleaned = clean_html(mail(f"<p>before</p>{html}<p>after</p>"))
    assert "before" in cleaned
    # Of the tags that are left, none has an attribute that could hold anything.
    tags = re.findall(r"<[a-z!][^>]*>", cleaned.replace('<meta charset="utf-8">', ""))
    assert [tag for tag in tags if "=" in tag or "script" in tag] == []
    assert "evil.example/" not in re.sub(r">[^<]*<", "><", cleaned)


def test_what_a_letter_needs_stays() -> None:
    html = "<h1>Dear <b>Madame</b></h1><ul><li>one</li></ul><table><tr><td colspan=2>x</td></tr></table>"
    cleaned = clean_html(mail(html))
    assert "<b>Madame</b>" in cleaned
    assert '<td colspan="2">' in cleaned


def test_text_and_files() -> None:
    content = mail("<p>Hello</p>", plan=b"x" * 30_000)
    letter = read(content)
    assert (letter.text, letter.cut, letter.html) == ("Hello", False, True)
    [file] = letter.files
    assert file.name == "plan.bin"
    # Base64 with its line ends is a little longer than four thirds.
    assert 30_000 <= file.size < 31_000


def test_a_long_text_is_cut_and_said_to_be() -> None:
    letter = read(mail(text="word " * LONGEST_TEXT))
    assert letter.cut
    assert len(letter.text) <= LONGEST_TEXT


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\xff\xfe\x00", b"Content-Type: text/html\r\n\r\n<p>Hi"])
def test_whatever_the_bytes_are(content: bytes) -> None:
    read(content)
    clean_html(content)

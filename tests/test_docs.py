"""The documentation tells of everything that is there, and of nothing that is not."""

import re
from pathlib import Path

import pytest

from mailguard.core.checks import CHECKS, UNREADABLE
from mailguard.core.states import MessageState, RecipientState
from tests import reference

ROOT = Path(__file__).parent.parent
PAGES = sorted(reference.PAGES.glob("*.md"))
DOCUMENTS = sorted([*(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md"), *ROOT.glob("*.md")])

# What clients and scripts rely on; a reply may gain words, and may not lose these.
PROMISED_REPLIES = [
    "250 2.0.0 Held as <ID> until <time>: <rule or finding>",
    "250 2.0.0 Held as <ID> until confirmed",
    "250 2.0.0 Held as <ID> until approved",
    "250 2.0.0 Queued as <ID>",
    "550 5.7.1",
    "530 5.7.0 Authentication required",
    "535 5.7.8",
    "421",
    "553 5.7.1",
    "452 4.3.1",
    "451 4.3.0",
    "550 5.6.0",
]
EHLO_KEYWORDS = (
    *("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN", "STARTTLS"),
    *("AUTH PLAIN LOGIN", "FUTURERELEASE"),
)
EXIT_CODES = ("0", "1", "2", "3", "4", "5", "75")


def read(name: str) -> str:
    return (reference.PAGES / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_reference_does_not_lag_behind_the_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == reference.fresh(text), "run: .venv/bin/python -m tests.reference --write"


def test_every_table_is_on_a_page() -> None:
    marked = [
        name for page in PAGES for name in re.findall(r"<!-- table: ([\w.]+) -->", page.read_text("utf-8"))
    ]
    assert sorted(marked) == sorted(reference.TABLES)


def test_every_verb_is_documented() -> None:
    words = [words for words, _ in reference.commands()]
    assert "mailguard serve" in words
    assert [each for each in words if f"\n## {each}\n" not in read("cli.md")] == []


def test_every_verb_says_what_it_does() -> None:
    assert [words for words, command in reference.commands() if not (command.help or "").strip()] == []


@pytest.mark.parametrize("schema", ["mailguard.schema.json", "rules.schema.json"])
def test_every_configuration_key_is_documented_and_described(schema: str) -> None:
    known = list(reference.keys(schema))
    assert len(known) > 10
    page = read("configuration.md")
    assert [key.path for key in known if not key.table and f"| `{key.path}` |" not in page] == []
    assert [key.path for key in known if not key.said.get("description")] == []


@pytest.mark.parametrize("code", [*(check.code for check in CHECKS), UNREADABLE])
def test_every_check_is_documented(code: str) -> None:
    assert f"`{code}`" in read("checks.md")


@pytest.mark.parametrize("state", [*MessageState, *RecipientState])
def test_every_state_is_documented(state: str) -> None:
    assert f"`{state}`" in read("states.md")


@pytest.mark.parametrize("reply", PROMISED_REPLIES)
def test_every_promised_reply_is_documented(reply: str) -> None:
    assert f"`{reply}" in read("smtp.md")


def test_the_promised_replies_are_in_the_source() -> None:
    said = reference.replies()
    assert [
        reply for reply in PROMISED_REPLIES if len(reply) > 3 and " ".join(reply.split()[:2]) not in said
    ] == []


@pytest.mark.parametrize("keyword", EHLO_KEYWORDS)
def test_what_ehlo_offers_is_documented(keyword: str) -> None:
    assert re.search(rf"\b{keyword}\b", read("smtp.md"))


@pytest.mark.parametrize("code", EXIT_CODES)
def test_every_exit_code_is_documented(code: str) -> None:
    assert f"\n| {code} |" in read("cli.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_links_to_what_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [
        target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target
    ]
    assert [target for target in targets if target and not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_files_and_targets_that_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    paths = re.findall(r"`((?:mailguard|tests|config|deploy|docs)/[\w./-]+)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []
    targets = re.findall(r"`make ([a-z-]+)", text)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [target for target in targets if f"\n{target}:" not in makefile] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_verbs_that_exist(document: Path) -> None:
    verbs = {words.split()[1] for words, _ in reference.commands()}
    named = re.findall(r"^(?:\$ )?(?:\.venv/bin/)?mailguard ([a-z][a-z-]*)", _code(document), re.MULTILINE)
    assert set(named) <= verbs


def _code(document: Path) -> str:
    """The code blocks and code spans of a page, one after another."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return "\n".join([*blocks, *spans])

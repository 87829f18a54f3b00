import pytest

from mailguard.core.checks.confidential_marking import confidential_marking
from mailguard.core.facts import Body, Headers
from mailguard.core.policy import CheckOptions, Policy
from mailguard.core.prose import words
from mailguard.core.wording import sentence
from tests.facts import facts

OURS = Policy(internal_domains=("corp.example",))
LISTED = Policy(
    internal_domains=("corp.example",),
    options=CheckOptions(confidential_words=(("Project Falcon", words("project falcon")),)),
)


def found(
    to: str = "b@client.example",
    *,
    subject: str = "Hello",
    fields: dict[str, tuple[str, ...]] | None = None,
    body: Body | None = None,
    policy: Policy = OURS,
) -> list[str]:
    known = facts(to, headers=Headers(subject=subject, fields=fields or {}), body=body)
    return [sentence(one, "en") for one in confidential_marking(known, policy)]


@pytest.mark.parametrize(
    "subject",
    [
        "[CONFIDENTIAL] Results",
        "Results - internal use only",
        "Confidentiel : résultats",
        "Résultats (à usage interne)",
        "Streng vertraulich",
        "STRICTEMENT CONFIDENTIEL - budget",
    ],
)
def test_a_mark_in_the_subject(subject: str) -> None:
    assert found(subject=subject) != []


@pytest.mark.parametrize("name", ["results_confidential.xlsx", "Plan-Ne-Pas-Diffuser.pdf"])
def test_a_mark_in_a_files_name(name: str) -> None:
    assert found(body=Body(attachments=("a.txt", name))) != []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sensitivity", "Company-Confidential"),
        ("sensitivity", "private"),
        ("x-classification", "Corp Confidential"),
        ("msip_labels", "MSIP_Label_1_Name=Internal_Only; MSIP_Label_1_Enabled=True"),
    ],
)
def test_a_label(name: str, value: str) -> None:
    assert found(fields={name: (value,)}) != []


@pytest.mark.parametrize(
    ("name", "value"), [("sensitivity", "normal"), ("x-classification", "Public"), ("sensitivity", "")]
)
def test_no_label_of_that_kind(name: str, value: str) -> None:
    assert found(fields={name: (value,)}) == []


def test_a_footer_is_no_mark() -> None:
    text = "See you.\n\nThis e-mail is confidential and may be privileged."
    assert found(body=Body(text=text, own_text=text)) == []
    assert found(subject="Our confidence in the plan") == []


def test_a_french_footer_is_none_either() -> None:
    text = "À demain.\n\nCe message est confidentiel et réservé à son destinataire."
    assert found(body=Body(text=text, own_text=text)) == []
    assert found(subject="Notre confiance dans le plan") == []
    assert found(body=Body(attachments=("confidence.pdf", "réunion-interne.pdf"))) == []


def test_the_words_that_the_admin_lists_are_looked_for_everywhere() -> None:
    body = Body(text="About project  FALCON.", own_text="About project  FALCON.")
    assert found(body=body) == []
    (said,) = found(body=body, policy=LISTED)
    assert "Project Falcon" in said


def test_not_among_colleagues() -> None:
    assert found("c@corp.example", subject="[CONFIDENTIAL] Results") == []

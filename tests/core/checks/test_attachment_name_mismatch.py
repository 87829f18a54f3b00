from mailguard.core.checks.attachment_name_mismatch import attachment_name_mismatch
from mailguard.core.facts import Body
from mailguard.core.patterns import compile_patterns
from mailguard.core.policy import Policy
from mailguard.core.wording import sentence
from tests.facts import facts, recalled

OURS = Policy(internal_domains=("corp.example",))
CLIENTS = frozenset({"durand.example", "martin.co.uk", "acme.example", "gmail.com"})


def found(*to: str, files: tuple[str, ...], policy: Policy = OURS) -> list[str]:
    known = facts(*to, body=Body(attachments=files), recollection=recalled(organisations=CLIENTS))
    return [sentence(one, "en") for one in attachment_name_mismatch(known, policy)]


def test_a_file_named_after_another_client() -> None:
    (said,) = found("x@martin.co.uk", files=("Offer_Durand_2026.pdf", "terms.pdf"))
    assert "Offer_Durand_2026.pdf" in said and "durand.example" in said


def test_accents_and_case_make_no_difference() -> None:
    assert found("x@martin.co.uk", files=("offre-DURAND-été.pdf",)) != []
    assert found("x@martin.co.uk", files=("Contrat signé Durand (1).pdf",)) != []
    assert found("x@martin.co.uk", files=("contrat_de_durée_indéterminée.pdf", "durant-l'été.pdf")) == []


def test_not_where_it_goes_to_that_client() -> None:
    assert found("x@durand.example", files=("Offer_Durand.pdf",)) == []
    assert found("x@martin.co.uk", "y@durand.example", files=("Offer_Durand.pdf",)) == []


def test_not_where_the_recipient_is_named_too() -> None:
    assert found("x@martin.co.uk", files=("Durand against Martin.pdf",)) == []


def test_not_among_colleagues_nor_by_a_part_of_a_word() -> None:
    assert found("c@corp.example", files=("Offer_Durand.pdf",)) == []
    assert found("x@martin.co.uk", files=("durandal.pdf", "acme.pdf", "gmail.pdf")) == []


def test_clients_that_the_rules_name_are_known_without_a_memory() -> None:
    groups = {"clients": compile_patterns(["@falcon.example", "sue@partner.example"], {})}
    policy = Policy(internal_domains=("corp.example",), groups=groups)
    known = facts("x@martin.co.uk", body=Body(attachments=("falcon.pdf", "partner.pdf")))
    assert len(attachment_name_mismatch(known, policy)) == 2

import time

import pytest

from mailguard.core.checks.forgotten_attachment import LONGEST, forgotten_attachment
from mailguard.core.facts import Body, Headers
from mailguard.core.policy import Policy
from tests.facts import facts

CLAIMS = [
    "Could you take a look at the attached to see if we have everything?",
    "The attached must be filed tomorrow.",
    "Attached below is the generic document.",
    "The attachment shows the benefits.",
    "Please give the attached to Ken before the call.",
    "My most recent draft of the agreement, dated 11/3, is attached.",
    "Sorry, use attached one below.",
    "Attached, for your information, is a copy.",
    "Please print the attachment.",
    "The attached draft has been sent to the customer.",
    "Please find attached the report.",
    "Attached is the invoice for May.",
    "Please see the attached file.",
    "I've attached the latest version.",
    "I attach the contract.",
    "See attachment.",
    "The minutes are attached.",
    "Attached: agenda",
    "Find enclosed our offer.",
    "We enclose a copy of the agreement.",
    "Sorry, I forgot the attachment!",
    "I am attaching the slides for tomorrow.",
    "as discussed, see attached.",
    "Please don't hesitate to open the attached document.",
    "The file is attached to this email.",
    "Please find the signed contract attached",
    "Here's the report (attached).",
    "Attached please find my CV",
    "Enclosed you will find two copies",
    "please review the attached.\nThanks",
    "I have not changed much, see the attached draft.",
    "Report attached",
    "Attached the new figures",
    "Please find the\nattached document",
    "I attached the file to this email",
    "Veuillez trouver ci-joint le rapport.",
    "Ci-joint la facture.",
    "Vous trouverez en pièce jointe le devis.",
    "Je vous joins le contrat signé.",
    "Voir pièce jointe.",
    "cf. PJ",
    "Le compte rendu est joint.",
    "J'ai joint le rapport à ce message.",
    "Voici les documents joints.",
    "En PJ, le planning.",
    "En annexe, le budget.",
    "Pièce jointe : facture",
    "N'hésitez pas à consulter la pièce jointe.",
    "J'ai oublié la pièce jointe, la voici",
    "ci-jointes les photos",
    "Vous trouverez ci-annexé le bail",
    "Veuillez trouver joint le formulaire",
    "Je te joins la liste",
    "Nous vous joignons une copie du contrat",
    "la facture ci-jointe",
    "Le fichier joint contient tout.",
    "Tu trouveras le doc en p.j.",
    "CI-JOINT",
]

NEAR_MISSES = [
    "I have reviewed the attached and agree.",
    "The attached garage needs paint.",
    "The house is enclosed by a wall.",
    "We agree with the attached plan.",
    "Thank you for the attached documents.",
    "I received the attached this morning.",
    "Please follow the instructions attached to each form.",
    "There is no attachment.",
    "I attach great importance to this.",
    "I attach importance to quality.",
    "Her attachment style is anxious.",
    "The garage is attached to the house.",
    "I am very attached to my colleagues.",
    "I could not open your attachment.",
    "Thanks for the attached file you sent.",
    "The report is not attached.",
    "Please attach the report next time.",
    "Could you attach the file?",
    "Without attachments, mails are small.",
    "The report isn't attached.",
    "You attached the wrong file.",
    "The attachment you sent is broken.",
    "Attached houses are cheaper.",
    "He has an emotional attachment to it.",
    "The enclosed garden is lovely.",
    "I will send the report tomorrow.",
    "No strings attached.",
    "It was attached to my previous email.",
    "The rope is attached to the wall.",
    "attachment theory",
    "if it is attached, ignore this",
    "I'll attach it tomorrow",
    "we attached the poster to the wall",
    "Sans pièce jointe.",
    "Il n'y a pas de pièce jointe.",
    "La pièce est grande.",
    "Un joint d'étanchéité est usé.",
    "Nous avons un compte joint.",
    "Mon conjoint arrive demain.",
    "L'adjoint au maire.",
    "J'ai joint Paul par téléphone.",
    "Je ne joins pas le rapport.",
    "Je me joins à vous pour remercier.",
    "Je vous rejoins à midi.",
    "Votre pièce jointe est illisible.",
    "Le fichier n'est pas joint.",
    "Aucune pièce jointe.",
    "La taille des pièces jointes est limitée.",
    "La pièce de théâtre commence à huit heures.",
    "en annexe du bâtiment",
    "Merci de joindre le rapport.",
    "Pouvez-vous me joindre demain ?",
    "Le fichier joint que vous m'avez envoyé",
    "Je joins ma voix à la tienne",
    "j'ai joint le client hier",
    "pièce",
    "Les joints de la salle de bain sont à refaire.",
    "un projet conjoint",
]


def found(
    text: str = "", *, subject: str = "Hello", reply: bool = False, attachments: tuple[str, ...] = ()
) -> bool:
    headers = Headers(subject=subject, in_reply_to=("one@client.example",) if reply else ())
    message = facts(headers=headers, body=Body(text=text, own_text=text, attachments=attachments))
    return bool(forgotten_attachment(message, Policy()))


@pytest.mark.parametrize("text", CLAIMS)
def test_a_claim_without_an_attachment_is_found(text: str) -> None:
    assert found(f"Dear Bob,\n\n{text}\n\nBest wishes\nAnne")
    assert not found(text, attachments=("",))


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_a_near_miss_is_not(text: str) -> None:
    assert not found(f"Dear Bob,\n\n{text}\n\nBest wishes\nAnne")


def test_what_takes_a_claim_back_counts_in_its_own_sentence_only() -> None:
    assert found("There is no hurry. Please find attached the report. No answer is needed.")


def test_the_subject_counts_where_it_is_the_senders_own() -> None:
    assert found(subject="Report attached")
    assert found(subject="ci-joint la facture")
    assert not found(subject="Report attached", reply=True)
    assert not found(subject="Re: Report attached")
    assert not found(subject="TR : facture ci-jointe")


def test_only_the_senders_own_text_counts() -> None:
    quoted = Body(text="> Please find attached the report.\nThanks!", own_text="Thanks!")
    assert not forgotten_attachment(facts(body=quoted), Policy())


def test_it_is_silent_about_what_it_could_not_read() -> None:
    unread = Body(own_text="Please find attached the report.", readable=False)
    assert not forgotten_attachment(facts(body=unread), Policy())


@pytest.mark.parametrize(
    "text",
    [
        "attached ",
        "not attach ",
        "the attached ",
        "je joins ",
        "attach a ",
        "see the ",
        "attach x'-",
        "n't attach\n",
        "é attach ",
    ],
)
def test_hostile_text_costs_little(text: str) -> None:
    start = time.process_time()
    found(text * (2 * LONGEST // len(text)))
    assert time.process_time() - start < 0.3

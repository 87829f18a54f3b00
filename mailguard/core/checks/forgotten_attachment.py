"""Finds a message that speaks of something attached while nothing is.

The sender's own words are looked at sentence by sentence: the quoted mail and the signature are gone
already. A claim counts only where nothing in its sentence takes it back. The list of claims is short on
purpose: a warning that is mostly wrong teaches people to wave all warnings through.
"""

import re
from typing import TYPE_CHECKING

from mailguard.core.facts import Facts, Headers
from mailguard.core.findings import Finding
from mailguard.core.prose import fold

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

# What people write themselves is shorter; what is longer is pasted, and costs time on the event loop.
LONGEST = 20_000

# Without one of these nothing below can match; looking for them costs next to nothing.
_HINTS = ("attach", "enclos", "annexe", "inclus")
# joi, pj, p.j, p. j: to look for one letter, and then at what is around it, takes a fifth of four searches.
_HINT_AT_J = re.compile(r"j(?:oi|(?<=pj)|(?<=p\.j)|(?<=p\. j))")

_END = re.compile(r"(?<=[.!?;])\s+|\n\s*\n|\n(?=\s*[-*\u2022])")
_ABBREVIATIONS = ((re.compile(r"\bp\.\s?j\.?(?=\W|$)"), "pj"), (re.compile(r"\bcf\.\s"), "cf "))
_ANSWERS = re.compile(r"(?:re|aw|sv|fwd?|tr|wg|ref)\s?:")

_THING = (
    r"(?:files?|documents?|docs?|reports?|cop(?:y|ies)|pdfs?|invoices?|contracts?|drafts?|versions?|slides?"
    r"|presentations?|decks?|spreadsheets?|sheets?|workbooks?|agendas?|minutes|photos?|pictures?|images?"
    r"|screenshots?|forms?|cv|resum\w+|offers?|quotes?|quotations?|proposals?|letters?|lists?|tables?|plans?"
    r"|figures?|budgets?|agreements?|statements?|receipts?|tickets?|maps?|schedules?|notes?|summar(?:y|ies)"
    r"|certificates?|scans?|data|zip|archive|logs?|memos?|papers?|articles?|results?|details|estimates?)"
)
_BUILT = r"(?:houses?|homes?|garages?|buildings?|rooms?|gardens?|bathrooms?|walls?|kitchens?|barns?|sheds?)"
_CHOSE = (
    r"(?:fichiers?|documents?|rapports?|copies?|pdf|factures?|contrats?|devis|versions?|presentations?"
    r"|tableaux?|photos?|images?|captures?|formulaires?|cv|offres?|lettres?|listes?|plans?|budgets?|releves?"
    r"|plannings?|comptes?[ -]rendus?|ordre du jour|supports?|projets?|bons? de commande|attestations?"
    r"|justificatifs?|notes?|propositions?|programmes?|convocations?|courriers?|scans?|dossiers?|resultats?)"
)
_FEW = r"(?:[\w'-]+ ){0,3}"
_MAIL = r"(?:this|the present) (?:e-?mail|message|mail|note)"

_CLAIMS_EN = (
    rf"(?:see|find|review|check|read|sign|open|use|consult|consider|note) {_FEW}(?:attached|enclosed)\b",
    r"(?:attached|enclosed),? (?:below )?(?:please|you will|you'll|herewith|hereto|for your|is|are)\b",
    rf"^\W*(?:attached|enclosed)(?: (?:an?|the|my|our|your|some|both|two|three|also|{_THING})\b|\s?[:,-]|$)",
    rf"\bthe attached\b(?! {_BUILT}\b)",
    rf"\bthe enclosed(?:$|[,.:;!?)]| {_FEW}{_THING}\b)",
    r"\b(?:is|are|has been|have been) (?:also |now )?(?:attached|enclosed)\b(?! (?:to|by|in|within)\b)",
    rf"\b(?:{_THING}|it|they|both|all|these|which|that) (?:is|are) (?:attached|enclosed)\b",
    rf"\b{_THING} (?:attached|enclosed)\b",
    rf"\battached to {_MAIL}\b",
    r"\b(?:i|we)(?:'ve|'m|'re| have| am| are)? ?(?:also |just |now |hereby |herewith )*"
    r"(?:attach(?:ed|ing)?|enclos(?:e|ed|ing))\b",
    r"\b(?:see|in|open|view|print|per|refer to|as|find) (?:the |my |this |our |an )?attachments?\b",
    r"\bthe attachments? (?:below )?(?:shows?|provides?|contains?|gives?|includes?|lists?|explains?)\b",
    r"\b(?:here is|here's|here are|with) (?:the |my |our )attachments?\b",
    r"\bforgot(?:ten)? (?:to attach|to enclose|(?:the|my) attachments?)\b",
    r"\(attached\)",
)
_CLAIMS_FR = (
    r"\bci[ -](?:joint|inclus|annexe)(?:e?e?s?)\b",
    r"\ben (?:pieces? (?:jointes?|attachees?)|pj|fichiers? joints?|document joint)\b",
    r"\ben annexe\b(?! (?:du|de|des|a|au|aux)\b)",
    rf"\bje (?:vous |te |t'|lui |leur )?joins {_FEW}{_CHOSE}\b",
    rf"\bnous (?:vous |te |lui |leur )?joignons {_FEW}{_CHOSE}\b",
    rf"\b(?:j'ai|nous avons) (?:bien |aussi |egalement )?joint {_FEW}{_CHOSE}\b",
    r"\b(?:voir|voici|cf|consulter|consultez|ouvrir|regarde[rz]?|trouve[rz]|trouverez|trouveras|lire|dans|avec"
    r"|oublie) (?:aussi |donc )?(?:les? |la |ma |mes |nos |notre |une |des |en )?(?:pieces? jointes?|pj\b)",
    rf"\b(?:les?|la|l'|ces?|cette|un|une|des|mon|ma|mes|nos|notre) ?{_CHOSE} (?:ci[ -])?jointe?s?\b",
    rf"\btrouve(?:r|z|rez|ras) {_FEW}jointe?s?\b",
    rf"\b{_CHOSE} (?:est|sont) (?:aussi |egalement )?jointe?s?\b",
    r"^\W*(?:pieces? jointes?|pj) ?:",
)

_NOT_SO_EN = (
    # No claim at all, or one that is taken back.
    r"(?:\b(?:no|not|without|never|cannot|any|remove[sd]?|deleted?|if)\b|n't\b)(?! hesitate)[^,:]{0,30}"
    r"(?:attach|enclos)",
    # Other meanings: importance, feelings, houses, walls, and files that hang elsewhere.
    r"\battach(?:ed|ing)? (?:\w+ )?(?:importance|value|weight|significance|meaning|blame|priority|conditions?"
    r"|strings)\b",
    rf"(?<!the )\battach(?:ed|ing)? (?:[\w'-]+ ){{0,5}}to (?!{_MAIL})(?:the|an?|his|her|their|my|our|your"
    r"|each|every|that|it|him|them|me|us|you|reality|people)\b",
    r"\battachments? (?:styles?|theor\w+|parenting|disorders?|issues|points?|sizes?|limits?|figures?|to)\b",
    r"\benclosed (?:space|area|garden|room|court\w*|by|in|within|with a)\b",
    # Somebody else's attachment, or one of another message.
    r"\b(?:your|his|her|their) (?:attachments?|attached|enclosed)\b",
    r"\b(?:received|reviewed|looked at|agree with|saw|seen|thanks for|thank you for) (?:\w+ ){0,2}"
    r"(?:attach|enclos)",
    r"\b(?:you|he|she|they|who)(?:'ve| have| had| has)? (?:just |kindly )?(?:attached|enclosed)\b",
    rf"\battach(?:ed|ments?)\b {_FEW}(?:you|he|she|they) (?:sent|gave|forwarded|shared|mailed|wrote)\b",
    r"\b(?:last|previous|earlier|first|yesterday's|other) (?:e-?mail|message|mail)\b",
)
_NOT_SO_FR = (
    r"\b(?:sans|aucune?s?|jamais|ni|(?<!hesitez )(?<!hesite )(?<!hesiter )pas)\b[^,:]{0,30}"
    r"(?:joint|pj|joign|annexe)",
    # To reach somebody by telephone, to add one's voice, a bank account, a seal.
    r"\bjoin(?:t|s|dre)\b[^,:]{0,30}\b(?:par telephone|au telephone|ma voix|mes efforts|mes remerciements)\b",
    r"\bjoints? (?:d'etancheite|de culasse|silicone)\b|\b(?:comptes?|declarations?) joints?\b",
    r"\b(?:votre|vos|ta|tes|ton) (?:pieces? |fichiers? |documents? )?(?:ci[ -])?(?:jointe?s?|pj)\b",
    r"\bjointe?s? (?:que |a |dans |au )?(?:vous|tu|m'a|votre|ton|il|elle)\b(?! trouve)",
    r"\b(?:dernier|precedent|premier|autre) (?:e-?mail|message|mail|courriel)\b",
)

_CLAIMS = re.compile("|".join((*_CLAIMS_EN, *_CLAIMS_FR)))
_NOT_SO = re.compile("|".join((*_NOT_SO_EN, *_NOT_SO_FR)))


def forgotten_attachment(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """One finding where the sender's own words, or the subject of a new message, claim an attachment."""
    body = facts.body
    if body.attachments or not body.readable:
        return ()
    if _claims(body.own_text[:LONGEST]) or _subject_claims(facts.headers):
        return (Finding(check="forgotten_attachment"),)
    return ()


def _subject_claims(headers: Headers) -> bool:
    """The same of the subject, where it is the sender's own; an answer or a forward carries another's."""
    if headers.is_reply or not headers.subject or not _claims(headers.subject):
        return False
    return _ANSWERS.match(headers.subject.strip().lower()) is None


def _claims(text: str) -> bool:
    folded = fold(text)
    if not _hints(folded):
        return False
    for abbreviation, full in _ABBREVIATIONS:
        folded = abbreviation.sub(full, folded)
    return any(_claimed(" ".join(sentence.split())) for sentence in _END.split(folded))


def _hints(folded: str) -> bool:
    return any(hint in folded for hint in _HINTS) or ("j" in folded and _HINT_AT_J.search(folded) is not None)


def _claimed(sentence: str) -> bool:
    return _CLAIMS.search(sentence) is not None and _NOT_SO.search(sentence) is None

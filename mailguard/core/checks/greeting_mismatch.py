"""Finds a greeting that names somebody whom no recipient can be ("Dear Anne" to paul@)."""

import re
from typing import TYPE_CHECKING

from mailguard.core import address, mailboxes
from mailguard.core.facts import Facts
from mailguard.core.findings import Finding
from mailguard.core.prose import fold
from mailguard.core.recall import greeting
from mailguard.core.recall.people import Person

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

# Mailboxes that are read by whoever is there.
_ROLES = """
info contact office sales support help helpdesk admin service team hr jobs press legal billing invoice
invoices accounting accounts orders marketing hello mail all staff everyone list announce noreply
reception secretary secretariat compta comptabilite commercial ventes direction achats rh presse
juridique facturation accueil vertrieb buchhaltung personal kontakt einkauf verkauf
"""
_ROLE_WORDS = frozenset(_ROLES.split())
_OPENINGS = re.compile(
    r"(?:dear|hi|hello|hey|good (?:morning|afternoon|evening)|bonjour|bonsoir|salut|cher|chere|hallo"
    r"|liebe[rs]?"
    r"|guten (?:tag|morgen|abend)|sehr geehrte[rs]?|hola|buen[oa]s|estimad[oa]|querid[oa]|ciao|buongiorno"
    r"|car[oa]|gentile|egregio|beste|geachte|dag|hoi)\b"
)
_MARKS = (",", ":", ";", "!")
# Better than this a name may be the recipient's.
_FIT = 0.25
_MOST_RECIPIENTS = 12
# A sender with so many mails in the memory: whom he greets how is known.
_WELL_KNOWN = 50


def greeting_mismatch(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """A finding on the message (on the recipient, where there is one only), where nobody it goes to can be
    called as the greeting says. Silent where a recipient's name is not known, and, of a sender who is well
    known, where he greets nobody else like that."""
    recipients = facts.envelope.recipients
    if len(recipients) > _MOST_RECIPIENTS:
        return ()
    line = next((stripped for raw in facts.body.own_text.split("\n", 20) if (stripped := raw.strip())), "")
    greeted = greeting.names(line) if _greets(line) else ()
    if not greeted:
        return ()
    people = [address.normal(one.address) for one in recipients]
    if any(name in Person(who).parts for who in people for name in greeted):
        # As nearly always, and to take the header's lists apart for more names of theirs is most of the work.
        return ()
    known = _names(facts)
    called = [_called(who, known) for who in people]
    if not all(called) or any(_may_be(name, parts) for name in greeted for parts in called):
        return ()
    usual = facts.recollection.greeted
    if usual is None and facts.recollection.mails >= _WELL_KNOWN:
        # One greets by names that no address shows; of somebody well known it would have been seen.
        return ()
    alone = recipients[0].address if len(recipients) == 1 else None
    parameters = {"name": greeted[0].capitalize(), "address": recipients[0].address}
    if usual is not None:
        parameters |= {"usual": usual.address, "usual_mails": str(usual.mails)}
    return (Finding(check="greeting_mismatch", recipient=alone, parameters=parameters),)


def _greets(line: str) -> bool:
    """Whether this is a greeting beyond doubt: a word that opens one, or one or two names with a mark behind
    them. A list of things may begin with a line of one word, too, and a sentence with a few."""
    if _OPENINGS.match(fold(line)):
        return True
    words = line.split()
    return line[-1:] in _MARKS and len(words) <= 2 and all(word[:1].isupper() for word in words)


def _may_be(name: str, parts: tuple[str, ...]) -> bool:
    """Whether somebody who is called so may be meant: jsmith may be a John."""
    return greeting.fits(name, parts) > _FIT or (len(parts) == 1 and parts[0][0] == name[0])


def _names(facts: Facts) -> dict[str, tuple[str, ...]]:
    """The name parts that To and Cc give to each address."""
    found: dict[str, tuple[str, ...]] = {}
    for field in ("to", "cc"):
        for name, who in mailboxes.named(",".join(facts.headers.fields.get(field, ()))):
            parts = Person(f"{name.replace(' ', '.')}@x").parts
            if parts:
                found[address.normal(who)] = parts
    return found


def _called(who: str, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """All that this recipient may be called; () where that is not known."""
    own = Person(who).parts
    shown = known.get(who, ())
    if _ROLE_WORDS.intersection((*own, *shown)):
        return ()
    # One short part is a code or initials: "jd", "a4711".
    readable = [part for part in own if len(part) > 3]
    return (*shown, *own) if shown or readable else ()

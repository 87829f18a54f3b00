"""Finds a mail to somebody outside that is marked as not for outsiders: by a word in its subject or in a
file's name, by a sensitivity label, or by the words that the admin lists.

Not by a word anywhere in the text: half of all footers say "confidential".
"""

from typing import TYPE_CHECKING

from mailguard.core.facts import Facts
from mailguard.core.findings import Finding
from mailguard.core.prose import Text, words

if TYPE_CHECKING:
    from mailguard.core.policy import Policy

_MARKS = tuple(
    map(
        words,
        (
            "confidential",
            "strictly private",
            "internal only",
            "internal use only",
            "for internal use",
            "not for distribution",
            "do not distribute",
            "do not forward",
            "confidentiel",
            "confidentielle",
            "usage interne",
            "diffusion restreinte",
            "ne pas diffuser",
            "ne pas transmettre",
            "vertraulich",
            "nur intern",
        ),
    )
)
# RFC 2156 section 5.3.4, and what labelling programs write.
_SENSITIVE = ("company-confidential", "private", "personal")
_LABELS = ("x-classification", "x-sensitivity-label", "msip_labels", "x-protective-marking", "classification")
_SAYING = frozenset({"sensitivity", *_LABELS})


def confidential_marking(facts: Facts, policy: "Policy") -> tuple[Finding, ...]:
    """A finding on the message with the mark that was found, where it goes to anybody outside."""
    mark = _label(facts) or _word(facts, policy)
    if not mark or all(policy.internal(one.address) for one in facts.envelope.recipients):
        return ()
    return (Finding(check="confidential_marking", parameters={"mark": mark}),)


def _label(facts: Facts) -> str:
    fields = facts.headers.fields
    if _SAYING.isdisjoint(fields):
        return ""
    sensitivity = next(iter(fields.get("sensitivity", ())), "").strip()
    if sensitivity.lower() in _SENSITIVE:
        return sensitivity
    labels = (value for name in _LABELS for value in fields.get(name, ()))
    return next((value[:80] for value in labels if _marked(Text(raw=value.replace("_", " ")))), "")


def _word(facts: Facts, policy: "Policy") -> str:
    names = (name.replace("_", " ").replace("-", " ") for name in facts.body.attachments)
    for text in (facts.headers.subject, *names):
        if found := _marked(Text(raw=text)):
            return found
    listed = policy.options.confidential_words
    if not listed:
        return ""
    everywhere = Text(raw=f"{facts.headers.subject}\n{facts.body.own_text}")
    return next((said for said, pattern in listed if pattern.found_in(everywhere)), "")


def _marked(text: Text) -> str:
    return "" if not text.raw else next((mark.needle for mark in _MARKS if mark.found_in(text)), "")

"""The words of a report to a sender, in English and French."""

from collections.abc import Mapping, Sequence
from datetime import UTC

from mailguard.core.hold import HeldMessage
from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class _Words:
    """`subject` holds the original's subject; `what` comes before the recipients, `next_step` after."""

    subject: str
    what: str
    next_step: str


_ENGLISH: Mapping[str, _Words] = {
    "failed": _Words(
        subject="Not delivered: {subject}",
        what="Your message could not be delivered to:",
        next_step="Check each address. If it is right, show this report to your administrator.",
    ),
    "expired": _Words(
        subject="Not sent: {subject}",
        what="Nobody said yes to your message in time, so it was not sent to:",
        next_step="If it is still to go, send it again.",
    ),
    "rejected": _Words(
        subject="Not sent: {subject}",
        what="An approver decided that your message is not to be sent to:",
        next_step="Talk to the approver before you send it again.",
    ),
    "relayed": _Words(
        subject="Handed on: {subject}",
        what="Your message was handed on to a mail server that will not report its delivery, for:",
        next_step="You need not do anything.",
    ),
}
_FRENCH: Mapping[str, _Words] = {
    "failed": _Words(
        subject="Non remis : {subject}",
        what="Votre message n'a pas pu être remis à :",
        next_step="Vérifiez chaque adresse. Si elle est juste, montrez ce rapport à votre administrateur.",
    ),
    "expired": _Words(
        subject="Non envoyé : {subject}",
        what="Personne n'a confirmé votre message à temps. Il n'a pas été envoyé à :",
        next_step="S'il doit toujours partir, envoyez-le de nouveau.",
    ),
    "rejected": _Words(
        subject="Non envoyé : {subject}",
        what="Un approbateur a décidé que votre message ne doit pas être envoyé à :",
        next_step="Parlez-en avec l'approbateur avant de l'envoyer de nouveau.",
    ),
    "relayed": _Words(
        subject="Transmis : {subject}",
        what="Votre message a été transmis à un serveur qui ne signalera pas sa remise, pour :",
        next_step="Vous n'avez rien à faire.",
    ),
}

_LABELS: Mapping[str, tuple[str, str, str, str, str]] = {
    "en": ("Subject", "Taken", "Id", "Reason", "This is the mail guard at {hostname}."),
    "fr": ("Objet", "Reçu", "Id", "Motif", "Ceci est un message du garde-courrier {hostname}."),
}
_DOUBT: Mapping[str, str] = {
    "en": "An attempt ended without an answer: it may have arrived all the same.",
    "fr": "Une tentative s'est terminée sans réponse : le message est peut-être arrivé malgré tout.",
}


def subject_text(kind: str, subject: str, language: str) -> str:
    """The report's subject line, from the original's."""
    return _words(kind, language).subject.format(subject=subject or "-")


def body_text(
    message: HeldMessage,
    recipients: Sequence[tuple[str, str]],
    *,
    kind: str,
    reason: str,
    hostname: str,
    language: str,
    doubtful: bool = False,
) -> str:
    """The report for a person. `recipients` are addresses with what the upstream said of each, cleaned;
    `doubtful` where an attempt ended without an answer."""
    words = _words(kind, language)
    subject, taken, name, because, hello = _LABELS.get(language, _LABELS["en"])
    colon = " :" if language == "fr" else ":"
    lines = [hello.format(hostname=hostname), "", words.what, ""]
    for address, reply in recipients:
        lines += [f"  {address}", *([f"    {reply}"] if reply else [])]
    lines.append("")
    if doubtful:
        lines += [_DOUBT.get(language, _DOUBT["en"]), ""]
    if reason:
        lines += [f"{because}{colon} {reason}", ""]
    clean = "".join(c if c.isprintable() else " " for c in message.subject)
    lines += [
        f"{subject}{colon} {clean}",
        f"{taken}{colon} {message.received_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        f"{name}{colon} {message.id}",
        "",
        words.next_step,
        "",
    ]
    return "\n".join(lines)


def _words(kind: str, language: str) -> _Words:
    return (_FRENCH if language == "fr" else _ENGLISH)[kind]

"""What people read, in their language: a finding's sentence, and the words for states and actions."""

from collections.abc import Mapping

from mailguard.core.findings import Finding
from mailguard.core.hold import Action
from mailguard.core.states import MessageState, RecipientState

LANGUAGES = ("en", "fr")

_SENTENCES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "stranger_in_thread": "{address} had no part in this conversation before.",
        "forgotten_attachment": "The text speaks of something attached, but nothing is.",
        "unreadable": "The {part} could not be read completely, so nobody checked what is in this message.",
    },
    "fr": {
        "stranger_in_thread": "{address} n'avait pas encore pris part à cet échange.",
        "forgotten_attachment": "Le texte parle d'une pièce jointe, mais il n'y en a pas.",
        "unreadable": "Impossible de lire entièrement {part} : le contenu de ce message n'a pas été vérifié.",
    },
}

_PARTS = {
    "en": {"headers": "headers", "body": "body"},
    "fr": {"headers": "les en-têtes", "body": "le corps"},
}

_ELSE = {
    "en": "The check {check} noticed something.",
    "fr": "Le contrôle {check} a remarqué quelque chose.",
}

_STATES: Mapping[str, Mapping[MessageState | RecipientState, str]] = {
    "en": {state: state.value for state in (*MessageState, *RecipientState)}
    | {
        MessageState.CONFIRM: "waits for its sender's yes",
        MessageState.APPROVAL: "waits for approval",
        MessageState.RELAYING: "on its way",
        MessageState.EXPIRED: "returned to its sender, unsent",
    },
    "fr": {
        MessageState.HELD: "retenu",
        MessageState.FROZEN: "gelé",
        MessageState.CONFIRM: "attend l'accord de son expéditeur",
        MessageState.APPROVAL: "attend une approbation",
        MessageState.QUEUED: "en file d'attente",
        MessageState.RELAYING: "en cours d'envoi",
        MessageState.SENT: "envoyé",
        MessageState.CANCELLED: "annulé",
        MessageState.REJECTED: "rejeté",
        MessageState.EXPIRED: "rendu à son expéditeur, non envoyé",
        MessageState.FAILED: "en échec",
        RecipientState.WAITING: "en attente",
        RecipientState.DEFERRED: "différé",
        RecipientState.DROPPED: "retiré",
    },
}

_ACTIONS: Mapping[str, Mapping[Action, str]] = {
    "en": {
        Action.NONE: "sent at once",
        Action.DELAY: "held for a time",
        Action.CONFIRM: "held until its sender confirms",
        Action.APPROVE: "held until an approver agrees",
        Action.REFUSE: "refused",
    },
    "fr": {
        Action.NONE: "envoyé aussitôt",
        Action.DELAY: "retenu un moment",
        Action.CONFIRM: "retenu jusqu'à la confirmation de l'expéditeur",
        Action.APPROVE: "retenu jusqu'à l'accord d'un approbateur",
        Action.REFUSE: "refusé",
    },
}


def sentence(finding: Finding, language: str) -> str:
    """A finding in one sentence; a language that is not known is English.

    Stored findings outlive their checks, so a code without a sentence gets a general one.
    """
    spoken = _spoken(language)
    template = _SENTENCES[spoken].get(finding.check, _ELSE[spoken])
    words = {"check": finding.check, **finding.parameters}
    if "part" in words:
        words["part"] = _PARTS[spoken].get(words["part"], words["part"])
    try:
        return template.format_map(words)
    except KeyError:
        return _ELSE[spoken].format(check=finding.check)


def state(value: MessageState | RecipientState, language: str) -> str:
    """A state, as it is said of a message or a recipient."""
    return _STATES[_spoken(language)][value]


def action(value: Action, language: str) -> str:
    """What is done with a message, as it is said of the message."""
    return _ACTIONS[_spoken(language)][value]


def _spoken(language: str) -> str:
    return language if language in LANGUAGES else "en"

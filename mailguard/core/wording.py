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
        "display_name_deceives": "Readers see {name}, but the address behind it is {address}.",
        "sender_not_own": "It says that it is from {address}, which is not an address of {login}.",
        "sender_mismatch": "It says that it is from {address}, but it was handed in by {sender}.",
        "new_domain_in_thread": "Nobody from {domain} had part in this conversation before.",
        "quoted_history_to_stranger": (
            "It quotes what only colleagues wrote to each other, and {address} had no part in that."
        ),
        "reply_all_outsiders": (
            "{address} is the only outsider here; somebody else has just added this address, "
            "and your answer to all carries it along."
        ),
        "was_bcc_reply_all": (
            "You got the mail that you answer as Bcc: the {count} others do not know that you have read it."
        ),
        "unlikely_recipient": "This mail fits {address} badly: {mails} of your mails went there before.",
        "unlikely_recipient:usual": (
            "This mail fits {address} badly; you may mean {usual} ({usual_mails} mails)."
        ),
        "wrong_namesake": (
            "You usually write to {usual} ({usual_mails} mails); to {address}, of like name, {mails}."
        ),
        "missing_recipient": (
            "{address} is not on it, but was on {together} of your last {of} mails to these people."
        ),
        "first_contact": "It is your first mail to {address}.",
        "lookalike_address": (
            "Nobody has used {address} before; it looks like {near}, which {mails} of your mails went to."
        ),
        "lookalike_domain": "The domain of {address} looks like {near}, but is another.",
        "personal_webmail": "{address} is a private mailbox.",
        "personal_webmail:colleague": "{address} is a private mailbox; your colleague is {colleague}.",
        "invited_outsiders": (
            "The invitation reaches {address}, to whom this mail does not go and none of yours ever did."
        ),
        "many_visible_externals": (
            "{count} outsiders of {organisations} organisations see each other's addresses; "
            "Bcc would hide them."
        ),
        "confidential_marking": "It is marked “{mark}”, and goes to somebody outside.",
        "attachment_name_mismatch": "The file {file} is named after {other}, but it goes to {domains}.",
        "greeting_mismatch:usual": "The greeting names {name}; you may mean {usual} ({usual_mails} mails).",
        "greeting_mismatch": "The greeting names {name}, and nobody of that name is among the recipients.",
        "wrong_sender_identity": (
            "You write from {sender}; your last {mails} mails to these people came from {usual}."
        ),
        "unreadable": "The {part} could not be read completely, so nobody checked what is in this message.",
    },
    "fr": {
        "stranger_in_thread": "{address} n'avait pas encore pris part à cet échange.",
        "forgotten_attachment": "Le texte parle d'une pièce jointe, mais il n'y en a pas.",
        "display_name_deceives": "On lit {name}, mais l'adresse derrière ce nom est {address}.",
        "sender_not_own": "Il se dit de {address}, qui n'est pas une adresse de {login}.",
        "sender_mismatch": "Il se dit de {address}, mais c'est {sender} qui l'a remis.",
        "new_domain_in_thread": "Personne de {domain} n'avait encore pris part à cet échange.",
        "quoted_history_to_stranger": (
            "Il cite un échange entre collègues, auquel {address} n'avait pas pris part."
        ),
        "reply_all_outsiders": (
            "{address} est ici la seule adresse externe ; quelqu'un vient de l'ajouter, "
            "et votre réponse à tous la reprend."
        ),
        "was_bcc_reply_all": (
            "Vous étiez en copie cachée du message auquel vous répondez : "
            "les {count} autres ne savent pas que vous l'avez lu."
        ),
        "unlikely_recipient": (
            "Ce message va mal avec {address} : vous lui avez envoyé {mails} messages jusqu'ici."
        ),
        "unlikely_recipient:usual": (
            "Ce message va mal avec {address} ; peut-être pensiez-vous à {usual} ({usual_mails} messages)."
        ),
        "wrong_namesake": (
            "Vous écrivez d'habitude à {usual} ({usual_mails} messages) ; "
            "à {address}, au nom proche, {mails}."
        ),
        "missing_recipient": (
            "{address} n'y est pas, mais était sur {together} de vos {of} derniers messages à ces personnes."
        ),
        "first_contact": "C'est votre premier message à {address}.",
        "lookalike_address": (
            "Personne n'a encore utilisé {address}, qui ressemble à {near} ({mails} de vos messages)."
        ),
        "lookalike_domain": "Le domaine de {address} ressemble à {near}, mais c'en est un autre.",
        "personal_webmail": "{address} est une boîte privée.",
        "personal_webmail:colleague": "{address} est une boîte privée ; votre collègue est {colleague}.",
        "invited_outsiders": (
            "L'invitation touche {address}, à qui ce message ne va pas et à qui vous n'avez jamais écrit."
        ),
        "many_visible_externals": (
            "{count} destinataires externes de {organisations} organisations voient leurs adresses ; "
            "la copie cachée les masquerait."
        ),
        "confidential_marking": "Il porte la mention « {mark} » et part à l'extérieur.",
        "attachment_name_mismatch": "Le fichier {file} porte le nom de {other}, mais part à {domains}.",
        "greeting_mismatch:usual": (
            "La formule d'appel nomme {name} ; peut-être pensiez-vous à {usual} ({usual_mails} messages)."
        ),
        "greeting_mismatch": "La formule d'appel nomme {name}, et aucun destinataire ne s'appelle ainsi.",
        "wrong_sender_identity": (
            "Vous écrivez depuis {sender} ; "
            "vos {mails} derniers messages à ces personnes venaient de {usual}."
        ),
        "unreadable": "Impossible de lire entièrement {part} : le contenu de ce message n'a pas été vérifié.",
    },
}

# With this parameter there is more to say: `check:parameter` is the sentence then.
_BETTER_WITH = ("usual", "colleague")

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
    said = _SENTENCES[spoken]
    template = said.get(finding.check, _ELSE[spoken])
    for more in _BETTER_WITH:
        if finding.parameters.get(more):
            template = said.get(f"{finding.check}:{more}", template)
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

"""The words of the guard's notices, in English and French."""

from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """The sentences of one language; names in braces are filled in by notice.py."""

    held: str
    asked_subject: str
    listing_subject: str
    until: str
    until_confirmed: str
    until_approved: str
    why: str
    rule: str
    stop_it: str
    look: str
    decide: str
    asked: str
    last_call: str
    asked_again: str
    asked_until: str
    asked_attached: str
    asked_too_large: str
    answer_stops: str
    answer_withdraws: str
    answer_only_stops: str
    answer_yes: str
    answer_send: str
    answer_wait: str
    answer_drop: str
    answer_edit: str
    answer_decides: str
    answer_approve: str
    answer_reject: str
    did_approve: str
    did_by: str
    need_login: str
    unknown_recipient: str
    you_approved: str
    you_rejected: str
    not_to_decide: str
    not_decided: str
    cannot_decide: str
    not_seen: str
    goes_on: str
    goes_later: str
    decisions: tuple[str, ...]
    did_cancel: str
    did_drop: str
    did_hold: str
    did_send: str
    did_else: str
    too_late: str
    left: str
    leaving: str
    may_have_left: str
    unknown: str
    impossible: str
    try_later: str
    not_understood: str
    sent_folder: str
    draft_attached: str
    draft_placed: str
    draft_not_placed: str
    draft_too_large: str
    nothing_done: str
    commands: str
    all_commands: tuple[str, ...]
    listing: str
    empty: str
    more: str
    cancel_by_mail: str
    subject: str
    to: str
    taken: str
    id: str
    time: str
    colon: str
    sign: str


_ENGLISH = Words(
    held="Held: {subject}",
    asked_subject="Your approval is asked for: {subject}",
    listing_subject="Messages that have not left: {count}",
    until="Your message has not left yet. It leaves on {until} unless you stop it.",
    until_confirmed="Your message waits for your yes. Without one it comes back to you, unsent, on {until}.",
    until_approved=(
        "Your message waits for the approval of {approvers}. "
        "Without one it comes back to you, unsent, on {until}."
    ),
    why="Why it is held:",
    rule="the rule “{rule}”",
    stop_it="Stop it",
    look="See it, or do something else",
    decide="See it and decide",
    asked="{sender} wants to send a message that needs your approval.",
    last_call="It still waits for you: {subject}",
    asked_again="It still waits for your approval: {subject}",
    asked_until="Without a decision it goes back to its sender, unsent, on {until}.",
    asked_attached="The message is attached to this mail.",
    asked_too_large="The message is too large to be attached; see it before you decide.",
    answer_stops="To stop it, just reply to this mail. Or reply with one of these as the first line:",
    answer_withdraws="To take it back, just reply to this mail.",
    answer_only_stops="To stop it, just reply to this mail.",
    answer_yes="send: yes, it may leave, and it leaves now",
    answer_send="send: it leaves now",
    answer_wait="wait 30m: it leaves half an hour later",
    answer_drop="drop ADDRESS: it does not go to this recipient; the rest goes on",
    answer_edit="edit: it is stopped and comes back to you as a draft",
    answer_decides="Or reply to this mail with one of these as the first line:",
    answer_approve="approve: it may leave",
    answer_reject="reject REASON: it goes back to its sender with your reason",
    did_approve="{actor} has approved your message.",
    did_by="This was done by {actor}.",
    unknown_recipient="It has no such recipient, so nothing was changed. Its recipients are listed below.",
    you_approved="You have approved this message.",
    you_rejected="You have rejected this message. It goes back to its sender with your reason.",
    not_to_decide="There is no message with this id that you may decide about.",
    not_decided="Your answer could not be read as one of the commands, so nothing was decided.",
    cannot_decide="This cannot be decided now. The message: {state}.",
    not_seen="This is not the message that you were shown. Look at it again before you decide.",
    goes_on="It is on its way out now.",
    goes_later="It leaves on {until}.",
    decisions=("approve", "reject REASON"),
    need_login="To decide about somebody else's message you have to be logged in to the mail guard.",
    did_cancel="It is stopped: your message will not go to {recipients}.",
    did_drop="It will not go to {recipients}.",
    did_hold="Your message waits until {until}.",
    did_send="Your message is on its way out now.",
    did_else="Your message: {state}.",
    too_late="Too late:",
    left="it left to {recipient} on {time}.",
    leaving="it is being handed over for {recipient} at this moment.",
    may_have_left="it may have reached {recipient}: the connection broke before the answer.",
    unknown="There is no message of yours with this id.",
    impossible="That is not possible now. Your message: {state}.",
    try_later="This could not be done at the moment. Please try again.",
    not_understood="Your answer could not be read as one of the commands, so it was taken as: stop.",
    sent_folder=(
        "The copy in the Sent folder of your mail program stays there: "
        "it was filed when the message was handed in."
    ),
    draft_attached="It is attached as a draft, with all its recipients: you can mend it and send it again.",
    draft_placed="It is in the folder {folder} of your mailbox: you can mend it and send it again.",
    draft_not_placed="It could not be put into your folder of drafts: {fault}.",
    draft_too_large="It is too large to come back by mail; whoever runs the guard can hand it to you.",
    nothing_done="Nothing was done",
    commands="What can stand in the first line of a reply:",
    all_commands=("cancel (or nothing at all)", "send", "wait 30m", "drop ADDRESS", "edit"),
    listing="Your messages that have not left, next to leave first:",
    empty="You have no message that has not left.",
    more="and {count} more",
    cancel_by_mail="To stop one, write to cancel+ID@{hostname}.",
    subject="Subject",
    to="To",
    taken="Taken",
    id="Id",
    time="{date} at {time}",
    colon=":",
    sign="This is the mail guard at {hostname}.",
)

_FRENCH = Words(
    held="Retenu : {subject}",
    asked_subject="Votre approbation est demandée : {subject}",
    listing_subject="Messages qui ne sont pas encore partis : {count}",
    until="Votre message n'est pas encore parti. Il partira le {until} si vous ne l'arrêtez pas.",
    until_confirmed=(
        "Votre message attend votre accord. Sans réponse, il vous reviendra, non envoyé, le {until}."
    ),
    until_approved=(
        "Votre message attend l'approbation de {approvers}. "
        "Sans réponse, il vous reviendra, non envoyé, le {until}."
    ),
    why="Pourquoi il est retenu :",
    rule="la règle « {rule} »",
    stop_it="L'arrêter",
    look="Le voir, ou faire autre chose",
    decide="Le voir et décider",
    asked="{sender} veut envoyer un message qui demande votre approbation.",
    last_call="Il vous attend toujours : {subject}",
    asked_again="Il attend toujours votre approbation : {subject}",
    asked_until="Sans décision, il reviendra à son expéditeur, non envoyé, le {until}.",
    asked_attached="Le message est joint à ce courrier.",
    asked_too_large="Le message est trop volumineux pour être joint : voyez-le avant de décider.",
    answer_stops=(
        "Pour l'arrêter, répondez simplement à ce message. Ou répondez avec l'une de ces premières lignes :"
    ),
    answer_withdraws="Pour le reprendre, répondez simplement à ce message.",
    answer_only_stops="Pour l'arrêter, répondez simplement à ce message.",
    answer_yes="envoyer : oui, il peut partir, et il part maintenant",
    answer_send="envoyer : il part maintenant",
    answer_wait="attendre 30m : il partira une demi-heure plus tard",
    answer_drop="retirer ADRESSE : il n'ira pas à ce destinataire, le reste suit son cours",
    answer_edit="modifier : il est arrêté et vous revient comme brouillon",
    answer_decides="Ou répondez à ce message avec l'une de ces premières lignes :",
    answer_approve="approuver : il peut partir",
    answer_reject="rejeter MOTIF : il revient à son expéditeur avec votre motif",
    did_approve="{actor} a approuvé votre message.",
    did_by="Cela a été fait par {actor}.",
    unknown_recipient="Il n'a pas ce destinataire ; rien n'a été changé. Ses destinataires sont ci-dessous.",
    you_approved="Vous avez approuvé ce message.",
    you_rejected="Vous avez rejeté ce message. Il revient à son expéditeur avec votre motif.",
    not_to_decide="Il n'y a pas de message avec cet identifiant dont vous puissiez décider.",
    not_decided="Votre réponse ne correspond à aucune des commandes : rien n'a été décidé.",
    cannot_decide="Cela ne peut pas être décidé maintenant. Le message : {state}.",
    not_seen="Ce n'est pas le message qui vous a été montré. Regardez-le de nouveau avant de décider.",
    goes_on="Il part maintenant.",
    goes_later="Il partira le {until}.",
    decisions=("approuver", "rejeter MOTIF"),
    need_login="Pour décider d'un message d'autrui, il faut être identifié auprès du garde-courrier.",
    did_cancel="Il est arrêté : votre message n'ira pas à {recipients}.",
    did_drop="Il n'ira pas à {recipients}.",
    did_hold="Votre message attend jusqu'au {until}.",
    did_send="Votre message part maintenant.",
    did_else="Votre message : {state}.",
    too_late="Trop tard :",
    left="il est parti à {recipient} le {time}.",
    leaving="il est en train d'être remis pour {recipient}.",
    may_have_left="il est peut-être arrivé à {recipient} : la liaison s'est rompue avant la réponse.",
    unknown="Il n'y a pas de message de vous avec cet identifiant.",
    impossible="Ce n'est pas possible maintenant. Votre message : {state}.",
    try_later="Cela n'a pas pu être fait pour le moment. Réessayez dans un instant.",
    not_understood=(
        "Votre réponse ne correspond à aucune des commandes : par prudence, elle a été lue comme « arrêter »."
    ),
    sent_folder=(
        "La copie dans le dossier des messages envoyés de votre logiciel y reste : "
        "elle a été classée quand le message a été remis."
    ),
    draft_attached=(
        "Il est joint comme brouillon, avec tous ses destinataires : vous pouvez le corriger et le renvoyer."
    ),
    draft_placed="Il est dans le dossier {folder} de votre boîte : vous pouvez le corriger et le renvoyer.",
    draft_not_placed="Il n'a pas pu être mis dans vos brouillons : {fault}.",
    draft_too_large="Il est trop gros pour revenir par mail ; l'administrateur peut vous le remettre.",
    nothing_done="Rien n'a été fait",
    commands="Ce qui peut figurer en première ligne d'une réponse :",
    all_commands=("annuler (ou rien du tout)", "envoyer", "attendre 30m", "retirer ADRESSE", "modifier"),
    listing="Vos messages qui ne sont pas encore partis, dans l'ordre de leur départ :",
    empty="Aucun de vos messages n'est en attente.",
    more="et {count} de plus",
    cancel_by_mail="Pour en arrêter un, écrivez à cancel+ID@{hostname}.",
    subject="Objet",
    to="À",
    taken="Reçu",
    id="Id",
    time="{date} à {time}",
    colon=" :",
    sign="Ceci est un message du garde-courrier {hostname}.",
)


def words(language: str) -> Words:
    """The words of a language; one that is not known is English."""
    return _FRENCH if language == "fr" else _ENGLISH

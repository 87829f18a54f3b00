"""What the small pages say that come before and beside the queue: signing in, links, and faults."""

from collections.abc import Mapping

_ENGLISH = {
    "sign_in": "Sign in",
    "sign_out": "Sign out",
    "login": "Login",
    "password": "Password",
    "same_as_mail": "The same login and password as in your mail program.",
    "wrong": "Login or password is wrong.",
    "too_many": "Too many wrong passwords. Try again in a few minutes.",
    "no_logins": "There are no logins yet. On the guard's machine, `mailguard page` prints a link that opens"
    " this page once; `mailguard users add` makes a login.",
    "open_once": "This opens mailguard as the admin of the machine, once.",
    "open": "Open",
    "not_good": "This link was used already, or is too old. On the guard's machine, `mailguard page` prints"
    " a new one.",
    "forged": "This did not come from a page of mailguard, so nothing was done. Go back and try again.",
    "no_page": "There is no such page.",
    "to_the_queue": "To the queue",
    "fault": "That did not work.",
    "not_now": "Nothing can be stored at this moment. Try again in a few seconds.",
    "link_not_good": "This link is not good any more. The message itself is in your queue, if it"
    " still waits.",
}
_FRENCH = {
    "sign_in": "Se connecter",
    "sign_out": "Se déconnecter",
    "login": "Identifiant",
    "password": "Mot de passe",
    "same_as_mail": "Les mêmes identifiant et mot de passe que dans votre logiciel de messagerie.",
    "wrong": "Identifiant ou mot de passe incorrect.",
    "too_many": "Trop de mots de passe incorrects. Réessayez dans quelques minutes.",
    "no_logins": "Il n'y a pas encore d'identifiant. Sur la machine de mailguard, `mailguard page` affiche un"
    " lien qui ouvre cette page une seule fois ; `mailguard users add` crée un identifiant.",
    "open_once": "Ceci ouvre mailguard, une seule fois, en tant qu'administrateur de la machine.",
    "open": "Ouvrir",
    "not_good": "Ce lien a déjà servi, ou il est trop ancien. Sur la machine de mailguard, `mailguard page`"
    " en affiche un nouveau.",
    "forged": "Cette demande ne vient pas d'une page de mailguard : rien n'a été fait. Revenez en arrière et"
    " réessayez.",
    "no_page": "Cette page n'existe pas.",
    "to_the_queue": "Vers la file d'attente",
    "fault": "Cela n'a pas fonctionné.",
    "not_now": "Rien ne peut être enregistré pour le moment. Réessayez dans quelques secondes.",
    "link_not_good": "Ce lien n'est plus valable. S'il attend encore, le message est dans votre file"
    " d'attente.",
}


def words(language: str) -> Mapping[str, str]:
    """The words of a language; English for one that we do not speak."""
    return _FRENCH if language == "fr" else _ENGLISH

"""Who a request comes from, and whether it really comes from a page of ours."""

import hmac
from urllib.parse import urlsplit

from fastapi import Request

from mailguard.core.actor import Actor
from mailguard.core.wording import LANGUAGES
from mailguard.edge.web.parts import Parts, Person
from mailguard.edge.web.sessions import SignedIn
from mailguard.ports.access import Scope

# They change nothing (RFC 9110 section 9.2.1).
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"


class SignedOut(Exception):
    """Nobody is signed in: the page sends to the sign-in, the API answers 401."""


class OutOfReach(Exception):
    """A token that is good, but not for this."""


class Forged(Exception):
    """A request that did not come from a page of ours."""


def parts_of(request: Request) -> Parts:
    """What the program gave to the web."""
    parts: Parts = request.app.state.parts
    return parts


def signed_in(request: Request) -> SignedIn:
    """The sessions."""
    found: SignedIn = request.app.state.signed_in
    return found


async def person(request: Request) -> Person:
    """Whoever is signed in to the page. Raises SignedOut; Forged where a change did not come from one of our
    own forms or scripts."""
    sessions = signed_in(request)
    actor = await sessions.of(request)
    if actor is None:
        raise SignedOut
    csrf = sessions.csrf(request)
    if request.method not in SAFE:
        own_origin(request)
        await _brings(request, csrf)
    return Person(actor=actor, language=await language_of(request, actor), csrf=csrf)


async def looking(request: Request) -> Person:
    """Whoever signed in, or the holder of a token, for what changes nothing. Raises SignedOut."""
    return await _caller(request, Scope.READ)


async def acting(request: Request) -> Person:
    """The same for a decision: a token must reach as far. Raises SignedOut, Forged, OutOfReach."""
    return await _caller(request, Scope.ACT)


async def _caller(request: Request, needed: Scope) -> Person:
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    if not kind:
        return await person(request)
    # With a token shown, the cookie says nothing: nothing but the token counts.
    holder = await parts_of(request).keyring.holder(shown.strip()) if kind.lower() == "bearer" else None
    if holder is None:
        raise SignedOut
    if needed is not Scope.READ and holder.token.scope is Scope.READ:
        raise OutOfReach
    return Person(actor=holder.actor, language=await language_of(request, holder.actor), token=holder.token)


async def maybe_person(request: Request) -> Person | None:
    """Whoever is signed in, or None; for pages that are for everybody."""
    try:
        return await person(request)
    except SignedOut:
        return None


def own_origin(request: Request) -> None:
    """Raises Forged where a browser says that another site is behind this request. A program that is no
    browser says neither, and has no cookie that it did not ask for."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        raise Forged
    if origin is not None and origin.lower() not in parts_of(request).options.origins:
        raise Forged


async def _brings(request: Request, csrf: str) -> None:
    given = request.headers.get(CSRF_HEADER)
    if given is None and _is_form(request):
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    if given is None or not hmac.compare_digest(given.encode(), csrf.encode()):
        raise Forged


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("application/x-www-form-urlencoded", "multipart/form-data")


async def language_of(request: Request, actor: Actor) -> str:
    """The language that a person chose, else one that the browser asks for, else the installation's."""
    parts = parts_of(request)
    asked = language_asked(request, parts.options.language)
    if actor.account is None:
        return asked
    answer = await parts.ask({"verb": "preferences"}, actor)
    chosen = answer.get("preferences")
    language = chosen.get("language") if isinstance(chosen, dict) else None
    return str(language or asked)


def language_asked(request: Request, otherwise: str) -> str:
    """Of the languages that we speak the one that the browser asks for most (RFC 9110 section 12.5.4)."""
    best, found = 0.0, otherwise
    for part in request.headers.get("accept-language", "")[:200].split(","):
        name, _, weight = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        try:
            wanted = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and wanted > best:
            best, found = wanted, language
    return found


def next_place(wanted: str) -> str:
    """A place of ours to go on to; what could lead elsewhere leads to the front page."""
    parts = urlsplit(wanted)
    strange = any(ord(char) < 33 or char == "\\" for char in wanted)
    if strange or parts.scheme or parts.netloc or not wanted.startswith("/") or wanted.startswith("//"):
        return "/"
    return wanted

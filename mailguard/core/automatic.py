"""Which mail no person wrote, by what programs say of themselves in the header (RFC 3834, RFC 2919)."""

from mailguard.core.facts import Headers

_LISTS = frozenset({"list-id", "list-unsubscribe", "list-post", "feedback-id"})
_ANSWERING = ("x-autoreply", "x-autorespond", "x-autoresponder")
# Without one of these there is nothing more to look at.
_SAYING = frozenset({"auto-submitted", "precedence", *_ANSWERING})
_PRECEDENCES = frozenset({"bulk", "list", "junk", "auto_reply"})


def automatic(headers: Headers) -> bool:
    """Whether a program answers here for somebody who is away, or reports on a delivery or a reading: not
    one word of it is meant for the guard."""
    report = _first(headers, "content-type").split(";")[0].strip() == "multipart/report"
    if report or _SAYING.isdisjoint(headers.fields):
        return report
    said = _first(headers, "auto-submitted").split(";")[0].strip() or "no"
    return (
        said != "no"
        or any(name in headers.fields for name in _ANSWERING)
        or _first(headers, "precedence").strip() in _PRECEDENCES
    )


def by_a_program(headers: Headers) -> bool:
    """Whether a program sends this: nobody would read a notice about it, and where a mailing list counts
    what comes back, a notice would count as a bounce."""
    return automatic(headers) or not _LISTS.isdisjoint(headers.fields)


def _first(headers: Headers, name: str) -> str:
    return (headers.fields.get(name) or ("",))[0].lower()

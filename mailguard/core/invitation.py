"""Whom a calendar invitation reaches: the attendees and the organizer of a text/calendar part (RFC 5545).

A calendar may send the invitation on to everybody it names, whoever the mail itself goes to. Bounded and
linear, whatever the text; what makes no sense is passed over.
"""

import re
from urllib.parse import unquote

from mailguard.core import address
from mailguard.core.value import dataclass

# What is read of a calendar: hundreds of attendees; and who are told.
TEXT_LIMIT = 256 * 1024
PEOPLE_LIMIT = 500

# RFC 5545 section 3.1: a line goes on in the next one that begins with a space or a tab.
_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"\r\n|\n|\r")
# A name, its parameters (a colon in a quoted one is none that ends them), and the value.
_PROPERTY = re.compile(r'([A-Za-z-]{1,40})((?:;[^":;]*+(?:"[^"]*+"[^":;]*+)*+)*+):(.*)', re.DOTALL)
_EMAIL = re.compile(r';email="?([^";:]++)"?', re.IGNORECASE)
_MAILTO = "mailto:"
# RFC 5546 section 3.2: those that ask people in. A reply, a cancellation and a calendar that is only shown
# invite nobody.
_INVITING = frozenset(("REQUEST", "ADD"))
# RFC 5545 section 3.2.3: not people.
_THINGS = re.compile(r";cutype=\"?(?:room|resource)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation:
    """`people` are all whom it reaches, the organizers among them, who are also in `by`; addresses in normal
    form, each once."""

    people: tuple[str, ...] = ()
    by: tuple[str, ...] = ()


def read(text: str) -> Invitation:
    """Whom an invitation reaches, and whose it is; nobody where it is none. Never raises."""
    found: dict[str, bool] = {}
    inside: list[str] = []
    inviting = False
    for line in _LINE.split(_FOLD.sub("", text[:TEXT_LIMIT])):
        match = _PROPERTY.match(line)
        if match is None:
            continue
        name, parameters, value = match[1].upper(), match[2], match[3].strip()
        if name == "BEGIN":
            # However deep it is nested, only the outermost levels mean anything.
            inside = [*inside[:8], value.upper()]
        elif name == "END":
            inside = inside[:-1]
        elif name == "METHOD" and len(inside) <= 1:
            inviting = value.upper() in _INVITING
        elif name in ("ATTENDEE", "ORGANIZER") and inside[-1:] != ["VALARM"]:
            # An alarm names whom the calendar reminds, by itself.
            who = "" if _THINGS.search(parameters) else _address(parameters, value)
            if who and len(found) < PEOPLE_LIMIT:
                found[who] = found.get(who, False) or name == "ORGANIZER"
    if not inviting:
        return Invitation()
    return Invitation(people=tuple(found), by=tuple(who for who, organizes in found.items() if organizes))


def _address(parameters: str, value: str) -> str:
    """The mailbox of an attendee; "" where there is none."""
    if value.lower().startswith(_MAILTO):
        written = unquote(value[len(_MAILTO) :].partition("?")[0])
    else:
        # RFC 7986 section 6.2: the address beside one that is no mailto.
        email = _EMAIL.search(parameters)
        written = email[1] if email else ""
    who = address.normal(written.strip())
    return who if address.parse(who).plain else ""

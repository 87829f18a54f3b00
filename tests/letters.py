"""Mails of a little firm, made up: its project manager, his boss, and a client with a name like hers."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

PAUL = "paul.martin@corp.example"
BOSS = "dominique.durand@corp.example"
CLIENT = "dominique.dupont@client.example"
COLLEAGUE = "claire.leroy@corp.example"
START = datetime(2026, 9, 1, 8, tzinfo=UTC)

_BUDGET = (
    "the budget of the department for next year and the cost of each position",
    "which positions we can save, and what the notice periods would cost us",
    "the head count: two positions less in the spring would bring the margin back",
    "salaries and the social plan, as the board asked us; strictly between us",
)
_PROJECT = (
    "the delivery of the second milestone and the acceptance test on site",
    "the interface to your warehouse system and the training of your staff",
    "the open points of the specification, with the screens you asked for",
    "the schedule of the roll-out and the workshop in your office in May",
)


def letter(
    number: int,
    to: str,
    text: str,
    *,
    sender: str = PAUL,
    subject: str = "",
    when: datetime | None = None,
    headers: str = "",
) -> bytes:
    """One mail, as on the wire; `headers` are more lines, each with its end."""
    when = when or START + timedelta(hours=7 * number)
    return (
        f"From: {sender}\r\nTo: {to}\r\nDate: {format_datetime(when)}\r\n"
        f"Message-ID: <{number}@corp.example>\r\n"
        f"{headers}Subject: {subject or text[:30]}\r\n\r\n{text}\r\n"
    ).encode()


def history(
    mails: int = 60, *, start: datetime = START, apart: timedelta = timedelta(hours=7)
) -> list[bytes]:
    """Earlier mail of the project manager: budgets to his boss, the project to the client."""
    found = []
    for number in range(mails):
        words = _BUDGET if number % 3 else _PROJECT
        to, name = (BOSS, "Dominique") if number % 3 else (CLIENT, "Madame Dupont")
        text = f"Hello {name},\r\n\r\nthis is about {words[number % 4]}.\r\nCall me.\r\n\r\nPaul"
        subject, when = f"{words[number % 4][:20]} {number}", start + number * apart
        found.append(letter(number, to, text, subject=subject, when=when))
    return found


LAYOFFS = (
    "Hello Dominique,\r\n\r\nhere is where we can save: two positions less in the spring, and the salaries of"
    " the department as the board asked us. The head count and the notice periods are below; strictly between"
    " us.\r\n\r\nPaul"
)

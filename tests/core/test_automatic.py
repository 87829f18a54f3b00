"""What no person wrote."""

import pytest

from mailguard.core.automatic import automatic, by_a_program
from mailguard.core.message import read_headers

ANSWERS = [
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: Auto-Generated; owner-email=x",
    "X-Autoreply: yes",
    "X-Autorespond: Out of office",
    "Precedence: auto_reply",
    "Precedence: Bulk",
    "Content-Type: multipart/report; report-type=disposition-notification; boundary=x",
    'Content-Type: multipart/report; report-type="delivery-status"; boundary=x',
]
LISTS = ["List-Id: <news.corp.example>", "List-Unsubscribe: <mailto:x@y.example>", "Feedback-ID: 1:2:3:x"]
PEOPLE = [
    "Subject: Automatic reply",
    "Auto-Submitted: no",
    "Precedence: normal",
    "Content-Type: multipart/mixed; boundary=report",
    "X-Mailer: list-id",
]


@pytest.mark.parametrize("field", ANSWERS)
def test_an_answer_of_a_program_is_known(field: str) -> None:
    headers = read_headers(f"From: a@x.example\r\n{field}\r\n\r\nsend\r\n".encode())
    assert automatic(headers) and by_a_program(headers)


@pytest.mark.parametrize("field", LISTS)
def test_what_a_list_sends_is_a_programs(field: str) -> None:
    headers = read_headers(f"From: a@x.example\r\n{field}\r\n\r\nNews.\r\n".encode())
    assert by_a_program(headers) and not automatic(headers)


@pytest.mark.parametrize("field", PEOPLE)
def test_what_a_person_writes_is_not(field: str) -> None:
    assert not by_a_program(read_headers(f"From: a@x.example\r\n{field}\r\n\r\nHello.\r\n".encode()))

"""A real guard with a page, and clients that speak HTTP to it over a real socket."""

import itertools
import os
import re
import smtplib
from pathlib import Path

import httpx2

from tests import guard as guards
from tests.guard import LOGIN, PASSWORD, SENDER, Guard

ADMIN_LOGIN = "root"
ADMIN_PASSWORD = "a password for the admin"
BOB = "bob"
BOB_PASSWORD = "a password for bob"
_NUMBERS = itertools.count()
MAILDIR = {"kind": "maildir", "path": "outgoing"}


def configured(directory: Path, *, web: str = "\n", rules: str = guards.RULES) -> Guard:
    """A guard with a page, and the logins of alice, bob and root, who is an admin."""
    guard = guards.configured(directory, MAILDIR, web=web, rules=rules)
    guard.welcome(BOB, BOB_PASSWORD)
    guard.welcome(ADMIN_LOGIN, ADMIN_PASSWORD)
    return guard


def page(guard: Guard, **how: object) -> httpx2.Client:
    """A browser that has not signed in."""
    return httpx2.Client(base_url=f"http://127.0.0.1:{guard.web_port}", timeout=30, **how)  # type: ignore[arg-type]


def signed_in(guard: Guard, login: str = LOGIN, password: str = PASSWORD) -> httpx2.Client:
    """The cookies of somebody who has."""
    with page(guard) as browser:
        answer = browser.post("/sign-in", data={"login": login, "password": password})
        assert answer.status_code == 303, answer.text
        return page(guard, cookies=browser.cookies)


def bearer(
    guard: Guard, login: str = LOGIN, password: str = PASSWORD, *, scope: str = "act", token: str = ""
) -> httpx2.Client:
    """A program that shows a token: this one, or a new one of this login."""
    if not token:
        with page(guard) as program:
            name = f"test {next(_NUMBERS)} of {os.getpid()}"
            asked = {"name": name, "login": login, "password": password, "scope": scope}
            made = program.post("/api/v1/tokens", json=asked)
            assert made.status_code == 200, made.text
            token = made.json()["token"]
    return page(guard, headers={"Authorization": f"Bearer {token}"})


def csrf(browser: httpx2.Client) -> str:
    """What the forms of this session bring along."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get("/").text)
    assert found
    return found[1]


def submit(
    guard: Guard, to: str = "m.dupont@customer.example", sender: str = SENDER, subject: str = "plans"
) -> str:
    """Hand a message in, as its sender's mail program does; its id."""
    content = f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nhello\r\n".encode()
    login = sender.split("@", maxsplit=1)[0]
    password = {LOGIN: PASSWORD, BOB: BOB_PASSWORD, ADMIN_LOGIN: ADMIN_PASSWORD}[login]
    with smtplib.SMTP("127.0.0.1", guard.port, timeout=30) as session:
        session.starttls()
        session.login(login, password)
        session.mail(sender)
        session.rcpt(to)
        code, text = session.data(content)
        assert code == 250, text
        return text.decode().split(" as ")[1].split()[0]

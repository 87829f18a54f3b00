"""The table of who may do what (tests/permissions.py), asked over HTTP: with tokens, and on the page."""

import json
import re
import smtplib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from mailguard.core.states import MessageState
from tests import permissions
from tests.edge.web.parts import MAILDIR, bearer, csrf, signed_in
from tests.guard import PASSWORD, Guard, configured
from tests.permissions import CASES, ROLES, Case

PEOPLE = {role: login for role, login in ROLES.items() if login in permissions.LOGINS}
# Where each verb that needs no message is; the others are below /messages.
PLACES: Mapping[str, tuple[str, str]] = {
    "status": ("GET", "/api/v1/status"),
    "reload": ("POST", "/api/v1/reload"),
    "try": ("POST", "/api/v1/try"),
}
READING = frozenset({"show", "raw"})
# On the page there is no confirming without the sender's queue, and to look is another address.
ON_THE_PAGE = frozenset(
    {"cancel", "edit", "restore", "release", "confirm", "extend", "freeze", "thaw", "approve", "reject"}
)
HTTP_CASES = tuple(
    case for case in CASES if case.verb in PLACES or (case.state is not None and case.verb != "draft")
)


@dataclass(frozen=True, kw_only=True)
class World:
    """The guard, and everybody's program and browser."""

    guard: Guard
    programs: Mapping[str, httpx2.Client]
    browsers: Mapping[str, httpx2.Client]
    forms: Mapping[str, str]

    def ask(self, role: str, case: Case, held: str) -> httpx2.Response:
        """What the case asks, with this role's token."""
        if case.verb in PLACES:
            method, path = PLACES[case.verb]
        else:
            below = {"show": "", "raw": "/raw"}.get(case.verb, f"/{case.verb}")
            method, path = "GET" if case.verb in READING else "POST", f"/api/v1/messages/{held}{below}"
        body = dict(case.more) or None
        return self.programs[role].request(method, path, json=body if method == "POST" else None)

    def press(self, role: str, case: Case, held: str) -> httpx2.Response:
        """The same on the page."""
        given: dict[str, Any] = {"by": "60", "reason": "No", "to": case.more.get("to", [])}
        form = {"csrf": self.forms[role], "seal": self.seal(held), **given}
        return self.browsers[role].post(f"/messages/{held}/{case.verb}", data=form)

    def seal(self, held: str) -> str:
        return str(self.programs["admin"].get(f"/api/v1/messages/{held}").json().get("seal") or "")

    def stands(self, held: str) -> Any:
        return self.guard.ask("show", held)

    def message(self, state: MessageState) -> str:
        """Anne's message in this state."""
        to = "x@big.example" if state is MessageState.CONFIRM else "x@newspaper.example"
        text = f"From: {permissions.SENDER}\r\nTo: {to}\r\nSubject: Results\r\n\r\nNot before Monday.\r\n"
        with smtplib.SMTP("127.0.0.1", self.guard.port, timeout=30) as session:
            session.starttls()
            session.login(permissions.OWNER, PASSWORD)
            session.mail(permissions.SENDER)
            for each in (to, "blind@customer.example"):
                session.rcpt(each)
            code, told = session.data(text.encode())
        assert code == 250, told
        held = told.decode().split(" as ")[1].split()[0]
        then = {MessageState.FROZEN: "freeze", MessageState.CANCELLED: "cancel"}.get(state)
        if then is not None or state is MessageState.HELD:
            assert self.programs["approver"].post(f"/api/v1/messages/{held}/approve").status_code == 200
        if then is not None:
            assert self.programs["owner"].post(f"/api/v1/messages/{held}/{then}").status_code == 200
        return held


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("who")
    guard = configured(directory, MAILDIR, web="\n", rules='notify = "never"\n' + permissions.RULES)
    settings = directory / "mailguard.toml"
    settings.write_text(settings.read_text().replace('["root"]', json.dumps(permissions.ADMINS)))
    for login, addresses in permissions.LOGINS.items():
        listed = [word for one in addresses for word in ("--address", one)]
        added = guard.verb("users", "add", login, *listed, "--password-stdin", stdin=PASSWORD + "\n")
        assert added.returncode == 0, added.stderr
    guard.start()
    programs = {role: bearer(guard, login, PASSWORD, scope="admin") for role, login in PEOPLE.items()}
    browsers = {role: signed_in(guard, login, PASSWORD) for role, login in PEOPLE.items()}
    forms = {role: csrf(browser) for role, browser in browsers.items()}
    yield World(guard=guard, programs=programs, browsers=browsers, forms=forms)
    for client in (*programs.values(), *browsers.values()):
        client.close()
    assert guard.stop() == 0, guard.log()


@pytest.mark.parametrize("case", HTTP_CASES, ids=lambda case: f"{case.verb} {case.state or ''}".strip())
def test_who_may(world: World, case: Case) -> None:
    held = world.message(case.state) if case.state else ""
    before = world.stands(held) if held else None
    for role in [role for role in PEOPLE if role not in case.may]:
        answer = world.ask(role, case, held)
        assert answer.status_code == 403, (role, answer.text)
        assert "newspaper" not in answer.text and "Monday" not in answer.text
        if case.verb in ON_THE_PAGE:
            pressed = world.press(role, case, held)
            assert pressed.status_code == 303
            assert not re.search(r"told=(done|already)", pressed.headers["location"]), (role, pressed.headers)
        if case.verb in READING:
            for below in ("", "/raw", "/html", "/draft"):
                assert world.browsers[role].get(f"/messages/{held}{below}").status_code == 404
    assert (world.stands(held) if held else None) == before
    for role in [role for role in PEOPLE if role in case.may]:
        answer = world.ask(role, case, held)
        assert answer.status_code == 200, (role, answer.text)
        assert ("blind@customer.example" in answer.text) <= (role in permissions.SENDERS)
        if case.verb not in READING | set(PLACES):
            break


@pytest.mark.parametrize("role", sorted(set(PEOPLE) - permissions.ADMIN))
def test_the_pages_of_an_admin(world: World, role: str) -> None:
    browser = world.browsers[role]
    for path in ("/admin", "/admin/rules", "/admin/health"):
        assert browser.get(path).status_code == 403
        assert world.browsers["admin"].get(path).status_code == 200
    held = world.message(MessageState.HELD)
    form = {"csrf": world.forms[role], "verb": "cancel", "id": held}
    assert browser.post("/admin/many", data=form).status_code == 403
    assert browser.post("/admin/reload", data={"csrf": world.forms[role]}).status_code == 403
    assert world.stands(held)["state"] == "held"

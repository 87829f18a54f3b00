"""The table of who may do what (tests/permissions.py), asked over real HTTP: with a session, with a token,
by the forms of the page, with a token that may only look, and with nothing."""

import itertools
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from mailguard.core.states import MessageState
from tests import guard as guards
from tests import permissions
from tests.edge.web.parts import MAILDIR, bearer, csrf, page, signed_in
from tests.guard import LOGIN, PASSWORD, Guard
from tests.permissions import CASES, ROLES, Case

# The front desk's verbs that are asked by GET, and where.
LOOKS = {"show": "", "raw": "/raw"}
ACTS = {"cancel", "confirm", "release", "freeze", "restore", "thaw", "extend", "approve", "reject", "edit"}
OF_MESSAGES = [case for case in CASES if case.verb in {*LOOKS, *ACTS}]
# Asked on the guard's own machine, or judged by their contents: no address of HTTP has them.
NOT_BY_HTTP = {"replay", "backup", "learn", "forget", "notify", "page"}
ELSEWHERE = {
    *("reload", "status", "try", "queue", "list", "approvals", "preferences", "prefer", "draft"),
    *("tokens", "token-new", "token-revoke"),
}
# Between the sender and nobody: no approver reads of it.
BLIND = "blind@customer.example"
PEOPLE = [role for role in ROLES if role != "nobody"]
# What a form of the page needs besides.
FORMS = {"extend": {"by": "60"}, "reject": {"reason": "No"}}


@dataclass(kw_only=True)
class World:
    """A guard with everybody of the table; each has one session and one token of each scope."""

    guard: Guard
    sessions: dict[str, httpx2.Client] = field(default_factory=dict)
    tokens: dict[tuple[str, str], httpx2.Client] = field(default_factory=dict)
    subjects: Iterator[int] = field(default_factory=itertools.count)

    def session(self, role: str) -> httpx2.Client:
        if role not in self.sessions:
            browser = self._machine() if role == "machine" else signed_in(self.guard, ROLES[role], PASSWORD)
            browser.headers["X-CSRF-Token"] = csrf(browser)
            self.sessions[role] = browser
        return self.sessions[role]

    def _machine(self) -> httpx2.Client:
        key = parse_qs(urlsplit(self.guard.ask("page")["link"]).query)["key"][0]
        browser = page(self.guard)
        assert browser.post("/open", data={"key": key}).status_code == 303
        return browser

    def token(self, role: str, scope: str = "") -> httpx2.Client:
        scope = scope or ("admin" if role in permissions.ADMIN else "act")
        if (role, scope) not in self.tokens:
            login = ("--login", ROLES[role]) if ROLES[role] else ()
            made = self.guard.ask("tokens", "new", f"{role} {scope}", "--scope", scope, *login)
            self.tokens[role, scope] = bearer(self.guard, token=made["token"])
        return self.tokens[role, scope]

    def client(self, way: str, role: str) -> httpx2.Client:
        return self.token(role) if way == "token" else self.session(role)

    def message(self, state: MessageState) -> str:
        """Anne's message in this state, as it comes into it."""
        to = "x@big.example" if state is MessageState.CONFIRM else "x@newspaper.example"
        held = self._handed_in(to)
        steps = {
            MessageState.HELD: [("approver", "approve")],
            MessageState.FROZEN: [("approver", "approve"), ("owner", "freeze")],
            MessageState.CANCELLED: [("approver", "approve"), ("owner", "cancel")],
        }
        for role, verb in steps.get(state, ()):
            assert self.token(role).post(f"/api/v1/messages/{held}/{verb}").status_code == 200
        assert self.shown(held)["state"] == state
        return held

    def _handed_in(self, to: str) -> str:
        head = f"From: {permissions.SENDER}\r\nTo: {to}\r\nSubject: Results {next(self.subjects)}\r\n\r\n"
        with smtplib.SMTP("127.0.0.1", self.guard.port, timeout=30) as session:
            session.starttls()
            session.login(permissions.OWNER, PASSWORD)
            session.mail(permissions.SENDER)
            for one in (to, BLIND):
                session.rcpt(one)
            code, text = session.data(f"{head}Not before Monday.\r\n".encode())
        assert code == 250, text
        return text.decode().split(" as ")[1].split()[0]

    def shown(self, message_id: str) -> dict[str, Any]:
        return dict(self.token("machine").get(f"/api/v1/messages/{message_id}").json())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory: Path = tmp_path_factory.mktemp("permissions")
    rules = 'notify = "never"\n' + permissions.RULES
    guard = guards.configured(directory, MAILDIR, web="\n", rules=rules)
    settings = directory / "mailguard.toml"
    settings.write_text(
        settings.read_text().replace('admins = ["root"]', f"admins = {[*permissions.ADMINS]}")
    )
    # All have one password; to hash it for each would take seconds.
    users = directory / "users"
    known = users.read_text().split(":")[1]
    assert LOGIN not in permissions.LOGINS
    lines = [f"{login}:{known}:{','.join(of)}\n" for login, of in permissions.LOGINS.items()]
    users.write_text("".join(lines))
    guard.start()
    yield World(guard=guard)
    assert guard.stop() == 0, guard.log()


def asked(client: httpx2.Client, case: Case, message_id: str) -> httpx2.Response:
    path = f"/api/v1/messages/{message_id}"
    if case.verb in LOOKS:
        return client.get(path + LOOKS[case.verb])
    return client.post(f"{path}/{case.verb}", json=dict(case.more) or None)


def test_every_verb_of_the_table_is_asked_or_has_no_address() -> None:
    assert {case.verb for case in CASES} == {*LOOKS, *ACTS, *NOT_BY_HTTP, *ELSEWHERE}


@pytest.mark.parametrize("way", ["session", "token"])
@pytest.mark.parametrize("case", OF_MESSAGES, ids=lambda case: f"{case.verb} {case.state}")
def test_who_may(world: World, case: Case, way: str) -> None:
    assert case.state is not None
    held = world.message(case.state)
    before = world.shown(held)
    for role in PEOPLE:
        if role not in case.may:
            answer = asked(world.client(way, role), case, held)
            assert (answer.status_code, answer.json()["told"]) == (403, "not_yours"), role
            assert "newspaper" not in answer.text and "big.example" not in answer.text
    with page(world.guard) as nobody:
        assert asked(nobody, case, held).status_code == 401
    if case.verb in ACTS:
        looking = asked(world.token("owner", "read"), case, held)
        assert (looking.status_code, looking.json()["told"]) == (403, "not_yours")
    assert world.shown(held) == before
    for role in sorted(case.may & set(PEOPLE)):
        mine = held if case.verb in LOOKS else world.message(case.state)
        answer = asked(world.client(way, role), case, mine)
        assert answer.status_code == 200, (role, answer.text)
        assert BLIND not in answer.text or role in permissions.SENDERS


@pytest.mark.parametrize("case", OF_MESSAGES, ids=lambda case: f"{case.verb} {case.state}")
def test_who_may_by_the_page(world: World, case: Case) -> None:
    assert case.state is not None
    held = world.message(case.state)
    before = world.shown(held)
    for role in [one for one in PEOPLE if one not in case.may]:
        browser = world.session(role)
        if case.verb in LOOKS:
            assert browser.get(f"/messages/{held}{LOOKS[case.verb]}").status_code == 404
            for below in ("", "/raw", "/html", "/draft"):
                assert browser.get(f"/messages/{held}{below}").status_code == 404
        else:
            assert _pressed(browser, case, held) in ("not_yours", "changed"), role
    assert world.shown(held) == before
    for role in sorted(case.may & set(PEOPLE)):
        browser, mine = world.session(role), held if case.verb in LOOKS else world.message(case.state)
        if case.verb in LOOKS:
            assert browser.get(f"/messages/{mine}{LOOKS[case.verb]}").status_code == 200
        else:
            assert _pressed(browser, case, mine) == "done", role


def _pressed(browser: httpx2.Client, case: Case, message_id: str) -> str:
    """What the page says that it did."""
    form: dict[str, object] = {**FORMS.get(case.verb, {}), **case.more}
    if case.verb == "approve":
        shown = browser.get(f"/api/v1/messages/{message_id}")
        form["seal"] = shown.json().get("seal", "")
    answer = browser.post(f"/messages/{message_id}/{case.verb}", data=form)
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["told"][0]


@pytest.mark.parametrize("way", ["session", "token"])
def test_what_is_of_no_message(world: World, way: str) -> None:
    held = world.message(MessageState.APPROVAL)
    stopped = world.message(MessageState.CANCELLED)
    for role in PEOPLE:
        client, admin = world.client(way, role), role in permissions.ADMIN
        message = {"content": "U3ViamVjdDogaGkNCg0KaGkNCg==", "to": ["x@y.example"]}
        for method, path, body in (
            ("GET", "/status", None),
            ("POST", "/reload", None),
            ("POST", "/try", message),
        ):
            answer = client.request(method, f"/api/v1{path}", json=body)
            assert answer.status_code == (200 if admin else 403), role
        listed = {one["id"] for one in client.get("/api/v1/messages", params={"limit": 1000}).json()}
        assert (held in listed) is (role in permissions.LISTED["queue"]), role
        code = 200 if role in permissions.PEOPLE else 400
        assert client.get("/api/v1/preferences").status_code == code
        chosen = {"language": None, "notify": None}
        assert client.put("/api/v1/preferences", json=chosen).status_code == code
        browser = world.session(role)
        assert (held in browser.get("/approvals").text) is (role in permissions.LISTED["approvals"]), role
        may = 200 if role in permissions.SENDERS else 404
        assert browser.get(f"/messages/{stopped}/draft").status_code == may, role


@pytest.mark.parametrize("way", ["session", "token"])
def test_everybody_sees_to_their_own_tokens(world: World, way: str) -> None:
    world.token("colleague", "read")
    for role in PEOPLE:
        client, name = world.client(way, role), f"made by {way} of {role}"
        made = client.post("/api/v1/tokens", json={"name": name, "scope": "read"})
        # A token makes no other one.
        assert made.status_code == (200 if way == "session" else 401)
        assert {one["login"] for one in client.get("/api/v1/tokens").json()} <= {ROLES[role]}
        if role != "colleague":
            assert client.delete("/api/v1/tokens/colleague read").status_code == 404
        assert client.delete(f"/api/v1/tokens/{name}").status_code == (200 if way == "session" else 404)
    assert world.token("colleague", "read").get("/api/v1/messages").status_code == 200


@pytest.mark.parametrize("role", PEOPLE)
def test_the_pages_of_an_admin(world: World, role: str) -> None:
    browser, admin, held = world.session(role), role in permissions.ADMIN, world.message(MessageState.HELD)
    for path in ("/admin", "/admin/rules", "/admin/health"):
        assert browser.get(path).status_code == (200 if admin else 403)
    form = {"verb": "cancel", "id": held}
    assert browser.post("/admin/many", data=form).status_code == (303 if admin else 403)
    assert browser.post("/admin/reload").status_code == (303 if admin else 403)
    assert world.shown(held)["state"] == ("cancelled" if admin else "held")


@pytest.mark.parametrize("way", ["session", "token"])
def test_a_yes_is_to_what_was_shown(world: World, way: str) -> None:
    held, other = world.message(MessageState.APPROVAL), world.message(MessageState.APPROVAL)
    approver, path = world.client(way, "approver"), f"/api/v1/messages/{held}"
    seal = approver.get(path).json()["seal"]
    for wrong in (approver.get(f"/api/v1/messages/{other}").json()["seal"], "0" * len(seal), "x"):
        refused = approver.post(f"{path}/approve", json={"seal": wrong})
        assert (refused.status_code, refused.json()["told"]) == (400, "refused")
        assert world.shown(held)["state"] == "approval"
    assert approver.post(f"{path}/approve", json={"seal": seal}).status_code == 200
    assert world.shown(held)["state"] == "held"


def test_an_admins_token_of_a_smaller_scope_has_no_admins_powers(world: World) -> None:
    held = world.message(MessageState.HELD)
    for scope in ("read", "act"):
        chief = world.token("admin", scope)
        assert chief.get(f"/api/v1/messages/{held}").status_code == 403
        assert chief.get("/api/v1/status").status_code == 403
        assert chief.post(f"/api/v1/messages/{held}/cancel").status_code == 403
    assert world.shown(held)["state"] == "held"


def test_nobody_sees_anything(world: World) -> None:
    held = world.message(MessageState.HELD)
    with page(world.guard) as nobody, bearer(world.guard, token="mgt_made-up") as liar:
        for path in ("/messages", "/status", "/preferences", "/tokens", f"/messages/{held}"):
            assert nobody.get(f"/api/v1{path}").status_code == 401
            assert liar.get(f"/api/v1{path}").status_code == 401
        for path in ("/", "/history", "/approvals", "/preferences", "/admin", f"/messages/{held}/raw"):
            assert nobody.get(path).headers["location"].startswith("/sign-in")
        assert nobody.post(f"/messages/{held}/cancel").headers["location"].startswith("/sign-in")

"""Tokens over HTTP: made with a password or by who is signed in, never by another token."""

import pytest

from tests.edge.web.parts import bearer, csrf, page, signed_in, submit
from tests.guard import LOGIN, PASSWORD, Guard


def test_a_password_makes_a_token(guard: Guard) -> None:
    with page(guard) as program:
        asked = {"name": "by password", "login": LOGIN, "password": PASSWORD, "scope": "read", "days": 7}
        made = program.post("/api/v1/tokens", json=asked).json()
        assert made["login"] == LOGIN
        again = program.post("/api/v1/tokens", json=asked)
        assert again.status_code == 400
        wrong = program.post("/api/v1/tokens", json={**asked, "password": "wrong"})
        nobody = program.post("/api/v1/tokens", json={**asked, "login": "nobody"})
        assert (wrong.status_code, wrong.text) == (nobody.status_code, nobody.text) == (403, wrong.text)
        headers = {"Authorization": f"Bearer {made['token']}"}
        [listed] = [
            one
            for one in program.get("/api/v1/tokens", headers=headers).json()
            if one["name"] == "by password"
        ]
        assert (listed["scope"], listed["login"]) == ("read", LOGIN)
    assert made["token"] not in guard.log()


def test_one_that_may_look_may_not_act(guard: Guard) -> None:
    message_id = submit(guard)
    with bearer(guard, scope="read") as reader:
        assert reader.get(f"/api/v1/messages/{message_id}").status_code == 200
        for method, path in (
            ("POST", f"messages/{message_id}/cancel"),
            ("PUT", "preferences"),
            ("DELETE", "tokens/x"),
            ("POST", "reload"),
        ):
            answer = reader.request(method, f"/api/v1/{path}", json={"language": None, "notify": None})
            assert answer.status_code == 403, path
    assert guard.ask("show", message_id)["state"] == "held"


def test_a_token_makes_no_token(guard: Guard) -> None:
    with bearer(guard, scope="act") as program:
        assert program.post("/api/v1/tokens", json={"name": "child"}).status_code == 401


def test_an_admin_is_one_only_by_a_token_that_says_so(guard: Guard) -> None:
    for scope, code in (("act", 403), ("admin", 200)):
        made = guard.ask("tokens", "new", f"as {scope}", "--login", "root", "--scope", scope)
        with bearer(guard, token=made["token"]) as program:
            assert program.get("/api/v1/status").status_code == code


def test_who_is_signed_in_makes_and_revokes_one(guard: Guard) -> None:
    with signed_in(guard) as browser:
        assert browser.post("/api/v1/tokens", json={"name": "from the page"}).status_code == 403
        headers = {"X-CSRF-Token": csrf(browser)}
        made = browser.post("/api/v1/tokens", json={"name": "from the page"}, headers=headers).json()
        with bearer(guard, token=made["token"]) as program:
            assert program.get("/api/v1/messages").status_code == 200
            gone = browser.delete("/api/v1/tokens/from the page", headers=headers)
            assert gone.status_code == 200
            assert program.get("/api/v1/messages").status_code == 401


@pytest.mark.parametrize(
    "shown", ["mgt_", "Bearer", "Basic YWxpY2U6eA==", "Bearer mgt_" + "A" * 43, "Bearer ?"]
)
def test_what_is_no_token(guard: Guard, shown: str) -> None:
    with signed_in(guard) as browser:
        # Beside a good cookie, too: who shows a token is whom the token says, or nobody.
        answer = browser.get("/api/v1/messages", headers={"Authorization": shown})
        assert answer.status_code == 401


def test_the_machine_lists_and_revokes(guard: Guard) -> None:
    made = guard.ask("tokens", "new", "on the machine", "--login", LOGIN, "--days", "1")
    assert [one["name"] for one in guard.ask("tokens", "list") if one["name"] == "on the machine"]
    with bearer(guard, token=made["token"]) as program:
        assert program.get("/api/v1/messages").status_code == 200
        assert guard.verb("tokens", "revoke", "on the machine", "--login", LOGIN).returncode == 0
        assert program.get("/api/v1/messages").status_code == 401
    assert guard.verb("tokens", "revoke", "on the machine", "--login", LOGIN).returncode == 3

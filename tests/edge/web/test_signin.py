"""Signing in and out: with the login of SMTP, and by the link that is good once."""

import re

from tests.edge.web.parts import bearer, csrf, page, signed_in, submit
from tests.guard import LOGIN, PASSWORD, Guard


def test_nobody_sees_anything_without_signing_in(guard: Guard) -> None:
    with page(guard) as browser:
        answer = browser.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        refused = browser.get("/api/v1/messages")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_the_login_of_smtp_opens_the_own_queue(guard: Guard) -> None:
    mine = submit(guard)
    theirs = submit(guard, sender="bob@corp.example")
    with signed_in(guard) as browser:
        # The first page may be full of what other tests have left here.
        assert theirs not in browser.get("/").text
        assert browser.get(f"/messages/{mine}").status_code == 200
        assert browser.get(f"/messages/{theirs}").status_code == 404
        listed = [one["id"] for one in browser.get("/api/v1/messages").json()]
        assert mine in listed
        assert theirs not in listed


def test_a_cookie_is_worth_nothing_after_signing_out(guard: Guard) -> None:
    with signed_in(guard) as browser, page(guard) as thief:
        thief.cookies.update(browser.cookies)
        assert thief.get("/").status_code == 200
        assert browser.post("/sign-out").status_code == 403
        assert browser.post("/sign-out", data={"csrf": csrf(browser)}).status_code == 303
        assert thief.get("/").status_code == 303


def test_the_answer_to_a_wrong_password_tells_nothing_of_the_login(guard: Guard) -> None:
    told = []
    for login in (LOGIN, "nobody", "", "\x00"):
        with page(guard) as browser:
            answer = browser.post("/sign-in", data={"login": login, "password": "wrong"})
            assert "set-cookie" not in answer.headers
            told.append((answer.status_code, answer.text))
    assert set(told) == {(403, told[0][1])}


def test_the_cookie_is_for_the_browser_alone(guard: Guard) -> None:
    with page(guard) as browser:
        planted = "chosen-by-somebody-else"
        browser.cookies.set("mailguard", planted)
        answer = browser.post("/sign-in", data={"login": LOGIN, "password": PASSWORD})
        told = answer.headers.get_list("set-cookie")[-1]
        assert planted not in told
        for word in ("HttpOnly", "SameSite=strict", "Path=/"):
            assert word in told


def test_the_link_opens_once_and_by_a_press_only(guard: Guard) -> None:
    link = guard.ask("page")["link"]
    path = link.removeprefix(f"http://127.0.0.1:{guard.web_port}")
    with page(guard) as browser:
        for _ in range(3):
            shown = browser.get(path)
            assert "set-cookie" not in shown.headers
        key = re.search(r'name="key" value="([^"]+)"', shown.text)
        assert key
        assert browser.post("/open", data={"key": key[1]}).status_code == 303
        assert browser.get("/").status_code == 200
    with page(guard) as late:
        assert late.post("/open", data={"key": key[1]}).status_code == 403
        assert late.get("/").status_code == 303
    assert key[1] not in guard.log()


def test_a_new_password_ends_the_sessions_and_no_token(guard: Guard) -> None:
    added = guard.verb(
        "users", "add", "carl", "--address", "carl@corp.example", "--password-stdin", stdin="one\n"
    )
    assert added.returncode == 0, added.stderr
    with signed_in(guard, "carl", "one") as browser, bearer(guard, "carl", "one") as program:
        assert browser.get("/api/v1/messages").status_code == 200
        assert guard.verb("users", "passwd", "carl", "--password-stdin", stdin="two\n").returncode == 0
        assert browser.get("/").headers["location"] == "/sign-in"
        assert browser.get("/api/v1/messages").status_code == 401
        assert program.get("/api/v1/messages").status_code == 200
        with page(guard) as old:
            assert old.post("/sign-in", data={"login": "carl", "password": "one"}).status_code == 403
        signed_in(guard, "carl", "two").close()
        assert guard.verb("users", "remove", "carl").returncode == 0
        assert program.get("/api/v1/messages").status_code == 401

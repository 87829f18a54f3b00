"""The pages over a real socket: what they ask of the front desk, and what they let pass."""

import re
import threading
import time

import httpx2
import pytest

from tests.edge.web.parts import ADMIN_LOGIN, ADMIN_PASSWORD, BOB, BOB_PASSWORD, csrf, page, signed_in, submit
from tests.guard import Guard


def act(browser: httpx2.Client, message: str, verb: str, **form: str) -> str:
    """Press a button; where it leads."""
    answer = browser.post(f"/messages/{message}/{verb}", data={"csrf": csrf(browser), **form})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def release_at(browser: httpx2.Client, message: str) -> str:
    """When it leaves."""
    found = re.search(r'data-until="([^"]+)"', browser.get(f"/messages/{message}").text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("until", "zone", "wanted"),
    [
        ("2099-01-01T12:00", "", None),
        ("soon", "Europe/Paris", None),
        ("", "", None),
        ("9999-12-31T23:59", "Pacific/Auckland", None),
    ],
)
def test_a_time_that_cannot_be_used_is_told(guard: Guard, until: str, zone: str, wanted: None) -> None:
    message = submit(guard)
    with signed_in(guard) as browser:
        before = release_at(browser, message)
        where = act(browser, message, "extend", until=until, zone=zone)
        assert "told=bad_time" in where
        assert "That time cannot be used" in browser.get(where).text
        assert release_at(browser, message) == before


def test_until_a_time_is_that_of_the_readers_clock(guard: Guard) -> None:
    message = submit(guard)
    tomorrow = time.strftime("%Y-%m-%dT12:00", time.gmtime(time.time() + 86400))
    with signed_in(guard) as browser:
        act(browser, message, "extend", until=tomorrow, zone="Asia/Tokyo")
        assert release_at(browser, message) == f"{tomorrow[:10]}T03:00:00Z"
        act(browser, message, "extend", by="300")
        assert release_at(browser, message) == f"{tomorrow[:10]}T03:05:00Z"


def test_where_to_go_on_is_never_elsewhere(guard: Guard) -> None:
    message = submit(guard)
    with signed_in(guard) as browser:
        for back in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
            assert act(browser, message, "freeze", back=back).startswith("/?did=freeze&")
        assert act(browser, message, "thaw", back="/history?q=x&did=cancel").startswith(
            "/history?q=x&did=thaw"
        )


def test_nothing_is_done_without_a_form_of_ours(guard: Guard) -> None:
    message = submit(guard)
    with signed_in(guard) as browser:
        assert browser.post(f"/messages/{message}/cancel", data={"csrf": "0" * 32}).status_code == 403
        assert browser.post(f"/messages/{message}/cancel").status_code == 403
        good = {"csrf": csrf(browser)}
        strange = {"Origin": "https://evil.example"}
        assert browser.post(f"/messages/{message}/cancel", data=good, headers=strange).status_code == 403
        assert browser.post(f"/messages/{message}/explode", data=good).status_code == 404
        assert browser.get(f"/messages/{message}/cancel").status_code == 405
        assert "Stop it" in browser.get(f"/messages/{message}").text
    with page(guard) as nobody:
        for place in (
            "/",
            f"/messages/{message}",
            "/history",
            "/approvals",
            "/admin",
            "/preferences",
            "/live",
        ):
            assert nobody.get(place).status_code == 303


def test_signing_out_everywhere_ends_every_session(guard: Guard) -> None:
    with signed_in(guard) as here, signed_in(guard) as there, signed_in(guard, BOB, BOB_PASSWORD) as other:
        assert there.get("/").status_code == 200
        assert here.post("/sign-out/everywhere", data={"csrf": csrf(here)}).status_code == 303
        assert [one.get("/").status_code for one in (here, there, other)] == [303, 303, 200]


@pytest.mark.parametrize(
    ("accepts", "language"),
    [
        ("fr-CH, en;q=0.5", "fr"),
        ("de, fr;q=0.4, en;q=0.3", "fr"),
        ("de", "en"),
        ("", "en"),
        ("en-GB,fr;q=0.9", "en"),
        ("fr;q=nonsense, *", "en"),
    ],
)
def test_the_browser_tells_the_language(guard: Guard, accepts: str, language: str) -> None:
    with signed_in(guard) as browser:
        for place in ("/", "/sign-in"):
            answer = browser.get(place, headers={"Accept-Language": accepts}, follow_redirects=True)
            assert f'<html lang="{language}"' in answer.text
    with page(guard) as nobody:
        for place in ("/sign-in", "/open", "/nothing-here", "/l/no.link"):
            answer = nobody.get(place, headers={"Accept-Language": accepts})
            assert f'<html lang="{language}"' in answer.text


def test_an_open_page_hears_of_its_own_and_of_nothing_else(guard: Guard) -> None:
    heard: list[str] = []
    opened = threading.Event()

    def listen() -> None:
        with signed_in(guard) as browser, browser.stream("GET", "/live", timeout=15) as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            for line in events.iter_lines():
                heard.append(line)
                opened.set()
                if line == "event: changed":
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    assert opened.wait(20)
    submit(guard, sender="bob@corp.example")
    time.sleep(0.6)
    assert "event: changed" not in heard
    submit(guard)
    listener.join(10)
    assert not listener.is_alive()


def test_a_search_finds_what_is_special_to_addresses_and_patterns(guard: Guard) -> None:
    submit(guard, subject="100% & <b>bold</b>")
    with signed_in(guard, ADMIN_LOGIN, ADMIN_PASSWORD) as browser:
        for q, found in (("100% &", True), ("<b>", True), ("100_", False), ("%", True)):
            text = browser.get("/admin", params={"q": q}).text
            assert ("100% &amp; &lt;b&gt;bold" in text) is found, q
        for odd in ({"state": "levitating"}, {"after": "zzzz"}, {"rule": "'\"<"}, {"finding": "\x00"}):
            assert browser.get("/admin", params=odd).status_code == 200
            assert browser.get("/history", params=odd).status_code == 200
            assert browser.get("/", params=odd).status_code == 200


@pytest.mark.parametrize("zone", ["", "Europe/Paris", "Asia", "../../etc/passwd", "\0", "a" * 5000])
@pytest.mark.parametrize("until", ["0001-01-01T00:00", "9999-12-31T23:59", "9999-12-31T23:59-23:59", "inf"])
def test_a_time_that_is_none_is_told_as_that(guard: Guard, until: str, zone: str) -> None:
    message_id = submit(guard)
    with signed_in(guard) as browser:
        form = {"csrf": csrf(browser), "until": until, "zone": zone}
        answer = browser.post(f"/messages/{message_id}/extend", data=form)
        assert answer.status_code == 303
        assert "told=bad_time" in answer.headers["location"]

"""The JSON interface: what each verb answers, with which code, over a real connection."""

import base64
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from tests import reference_http
from tests.edge.web.parts import (
    ADMIN_LOGIN,
    ADMIN_PASSWORD,
    BOB,
    BOB_PASSWORD,
    bearer,
    csrf,
    page,
    signed_in,
    submit,
)
from tests.guard import Guard

SHOWN = {
    "id",
    "state",
    "sender",
    "user",
    "subject",
    "size",
    "message_id",
    "received_at",
    "release_at",
    "action",
}


@pytest.fixture(scope="module")
def alice(guard: Guard) -> httpx2.Client:
    return bearer(guard)


@pytest.fixture(scope="module")
def bob(guard: Guard) -> httpx2.Client:
    return bearer(guard, BOB, BOB_PASSWORD)


@pytest.fixture(scope="module")
def admin(guard: Guard) -> httpx2.Client:
    return bearer(guard, ADMIN_LOGIN, ADMIN_PASSWORD, scope="admin")


def test_the_list_and_one_message_are_those_of_the_command_line(guard: Guard, alice: httpx2.Client) -> None:
    message_id = submit(guard)
    [listed] = [one for one in alice.get("/api/v1/messages").json() if one["id"] == message_id]
    [told] = [one for one in guard.ask("queue") if one["id"] == message_id]
    assert listed == told
    assert set(listed) >= SHOWN
    shown = alice.get(f"/api/v1/messages/{message_id}").json()
    assert shown == guard.ask("show", message_id)
    assert [one["event"] for one in shown["events"]] == ["received"]


def test_the_bytes(guard: Guard, alice: httpx2.Client) -> None:
    message_id = submit(guard, subject="<script>alert(1)</script>")
    answer = alice.get(f"/api/v1/messages/{message_id}/raw")
    assert answer.content == guard.raw(message_id)
    assert answer.headers["content-type"] == "message/rfc822"
    assert answer.headers["content-security-policy"] == "sandbox"
    assert "attachment" in answer.headers["content-disposition"]


def test_a_message_is_stopped_taken_back_and_sent(guard: Guard, alice: httpx2.Client) -> None:
    path = f"/api/v1/messages/{submit(guard)}"
    for verb, told, state in [
        ("cancel", "done", "cancelled"),
        ("cancel", "already", "cancelled"),
        ("restore", "done", "held"),
        ("freeze", "done", "frozen"),
        ("thaw", "done", "held"),
    ]:
        answer = alice.post(f"{path}/{verb}")
        assert (answer.status_code, answer.json()["told"]) == (200, told), answer.text
        assert answer.json()["message"]["state"] == state
    later = alice.post(f"{path}/extend", json={"by_seconds": 600})
    assert later.status_code == 200
    until = (datetime.now(UTC) + timedelta(hours=5)).isoformat()
    assert alice.post(f"{path}/extend", json={"until": until}).status_code == 200
    assert alice.post(f"{path}/release").status_code == 200
    guard.wait_for(lambda one: one["id"] in path and one["state"] == "sent")
    late = alice.post(f"{path}/cancel")
    assert late.status_code == 409
    assert late.json()["told"] == "too_late"
    assert "it left to m.dupont@customer.example at" in late.json()["text"]
    assert alice.get(f"{path}/raw").status_code == 409


def test_one_recipient_is_dropped(guard: Guard, alice: httpx2.Client) -> None:
    path = f"/api/v1/messages/{submit(guard)}"
    none = alice.post(f"{path}/cancel", json={"to": ["nobody@customer.example"]})
    assert none.status_code == 400
    dropped = alice.post(f"{path}/cancel", json={"to": ["m.dupont@customer.example"]})
    assert dropped.json()["message"]["state"] == "cancelled"


def test_a_message_is_had_back_as_a_draft(guard: Guard, alice: httpx2.Client, bob: httpx2.Client) -> None:
    path = f"/api/v1/messages/{submit(guard)}/edit"
    assert bob.post(path).status_code == 403
    answer = alice.post(path, json={"drafts": True})
    told = answer.json()
    assert (answer.status_code, told["told"], told["message"]["state"]) == (200, "done", "cancelled")
    draft = base64.b64decode(told["content"])
    assert draft.startswith(b"X-Unsent: 1\r\n")
    assert b"Subject: plans" in draft
    file = alice.post(path, headers={"Accept": "message/rfc822"})
    assert (file.headers["content-type"], file.content) == ("message/rfc822", draft)
    assert alice.post(path, json={"drafts": "perhaps"}).status_code == 422
    gone = f"/api/v1/messages/{submit(guard)}"
    alice.post(f"{gone}/release")
    guard.wait_for(lambda one: one["id"] in gone and one["state"] == "sent")
    assert alice.post(f"{gone}/edit", headers={"Accept": "message/rfc822"}).status_code == 409


def test_the_list_is_filtered_and_paged(guard: Guard, alice: httpx2.Client, admin: httpx2.Client) -> None:
    ids = {submit(guard, subject=f"page {number}") for number in range(4)}
    stopped = ids.pop()
    alice.post(f"/api/v1/messages/{stopped}/cancel")
    listed = [one["id"] for one in alice.get("/api/v1/messages").json()]
    assert ids <= set(listed)
    assert stopped not in listed
    assert stopped in [one["id"] for one in alice.get("/api/v1/messages", params={"all": True}).json()]
    assert stopped in [
        one["id"] for one in alice.get("/api/v1/messages", params={"state": "cancelled"}).json()
    ]
    paged, after = [], ""
    while found := alice.get("/api/v1/messages", params={"limit": 2, "after": after}).json():
        assert len(found) <= 2
        after = found[-1]["id"]
        paged += [one["id"] for one in found]
    assert paged == listed
    bobs = submit(guard, sender="bob@corp.example")
    by_sender = admin.get("/api/v1/messages", params={"sender": "BOB@corp.example"}).json()
    assert bobs in [one["id"] for one in by_sender]
    assert {one["sender"] for one in by_sender} == {"bob@corp.example"}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("?limit=0", 422),
        ("?limit=many", 422),
        ("?limit=100000", 422),
        ("?state=lost", 422),
        ("?after=zzzzzzzzzzzz", 404),
        ("/zzzzzzzzzzzz", 404),
        ("/zzzzzzzzzzzz/raw", 404),
        ("/%20", 404),
        ("/%F0%9F%92%A9", 404),
        ("/" + "a" * 65, 422),
    ],
)
def test_what_makes_no_sense(alice: httpx2.Client, path: str, code: int) -> None:
    answer = alice.get(f"/api/v1/messages{path}")
    assert answer.status_code == code, answer.text
    assert answer.json()["told"] in ("refused", "no_such_message")
    assert answer.json()["text"]


def test_what_makes_no_sense_is_not_done(guard: Guard, alice: httpx2.Client) -> None:
    path = f"/api/v1/messages/{submit(guard)}"
    assert alice.post(f"{path}/confirm").status_code == 400
    assert alice.post(f"{path}/explode").status_code == 404
    assert alice.get(f"{path}/cancel").status_code == 405
    assert alice.post(f"{path}/cancel", json={"two": []}).status_code == 422
    assert alice.post(f"{path}/cancel", content=b"{").status_code == 422
    assert alice.post(f"{path}/extend", json={}).status_code == 400
    for wrong in ({"by_seconds": -1}, {"by_seconds": 1e400}, {"by_seconds": "x"}, {"until": 5}):
        content = str(wrong).replace("'", '"').replace("inf", "Infinity")
        answer = alice.post(f"{path}/extend", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 422, answer.text
    for odd in ("yesterday", "0001-01-01T00:00:00+23:59", "2026-11-22"):
        assert alice.post(f"{path}/extend", json={"until": odd}).status_code == 400
    assert alice.get(path).json()["state"] == "held"


def test_what_is_anothers(
    guard: Guard, alice: httpx2.Client, bob: httpx2.Client, admin: httpx2.Client
) -> None:
    message_id = submit(guard)
    for path in ("", "/raw"):
        assert bob.get(f"/api/v1/messages/{message_id}{path}").status_code == 403
    for verb in ("cancel", "restore", "release", "confirm", "freeze", "thaw", "approve"):
        answer = bob.post(f"/api/v1/messages/{message_id}/{verb}")
        assert (answer.status_code, answer.json()["told"]) == (403, "not_yours")
    # By a beginning nobody learns that it is there.
    assert bob.get(f"/api/v1/messages/{message_id[:8]}").status_code == 404
    assert message_id not in bob.get(f"/api/v1/messages/{message_id[:8]}").text
    assert alice.get(f"/api/v1/messages/{message_id[:8]}").status_code == 200
    assert admin.post(f"/api/v1/messages/{message_id}/freeze").status_code == 200


def test_what_is_an_admins(alice: httpx2.Client, admin: httpx2.Client) -> None:
    for client, code in ((alice, 403), (admin, 200)):
        assert client.get("/api/v1/status").status_code == code
        assert client.post("/api/v1/reload").status_code == code
        message = {"content": "U3ViamVjdDogaGkNCg0KaGkNCg==", "to": ["x@customer.example"]}
        assert client.post("/api/v1/try", json=message).status_code == code
    assert admin.get("/api/v1/status").json()["running"] is True
    assert admin.post("/api/v1/try", json={"content": "?"}).status_code == 400


def test_preferences(alice: httpx2.Client) -> None:
    chosen = {"language": "fr", "notify": "never"}
    assert alice.put("/api/v1/preferences", json=chosen).json() == chosen
    assert alice.get("/api/v1/preferences").json() == chosen
    assert alice.put("/api/v1/preferences", json={"language": "tlh", "notify": None}).status_code == 422
    assert alice.put("/api/v1/preferences", json={"language": None, "notify": None}).status_code == 200


def test_a_cookie_needs_what_a_token_does_not(guard: Guard) -> None:
    message_id = submit(guard)
    path = f"/api/v1/messages/{message_id}/cancel"
    with signed_in(guard) as browser:
        assert browser.post(path).status_code == 403
        token = csrf(browser)
        assert browser.post(path, headers={"X-CSRF-Token": "0" * 32}).status_code == 403
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": f"http://localhost:{guard.web_port + 1}"},
        ):
            assert browser.post(path, headers={"X-CSRF-Token": token, **headers}).status_code == 403
        own = {"Origin": f"http://127.0.0.1:{guard.web_port}", "Sec-Fetch-Site": "same-origin"}
        assert browser.post(path, headers={"X-CSRF-Token": token, **own}).status_code == 200


def test_the_document_is_there_for_everybody(guard: Guard) -> None:
    with page(guard) as anybody:
        document = anybody.get("/api/v1/openapi.json").json()
    paths = set(document["paths"])
    assert "/api/v1/messages/{id}/cancel" in paths
    assert not {path for path in paths if not path.startswith("/api/v1/")}
    assert document["paths"] == reference_http.document()["paths"]

"""Links in notices, opened: who only looks changes nothing, and the button stops without a sign-in."""

import re
from dataclasses import replace

from mailguard.edge.clock import SystemClock
from mailguard.edge.links import PURPOSE, SignedLinks
from mailguard.edge.secret import Secret
from tests.edge.web.parts import page, submit
from tests.guard import SENDER, Guard
from tests.making import message, recipient


def links_of(
    guard: Guard, message_id: str, user: str | None = "alice", sender: str = SENDER
) -> tuple[str, str]:
    """The links that a notice about it has: to show, and to stop."""
    key = Secret.open(guard.directory / "state").derive(PURPOSE)
    links = SignedLinks(key, public_url="http://x", clock=SystemClock())
    made = links.of(replace(message(recipient()), id=message_id, user=user, sender=sender), sender)
    return made.show.removeprefix("http://x"), made.cancel.removeprefix("http://x")


def state_of(guard: Guard, message_id: str) -> str:
    return str(guard.ask("show", message_id)["state"])


def test_a_scanner_that_opens_everything_changes_nothing(guard: Guard) -> None:
    """It follows every link and loads what the page loads; the page has no script that acts by itself."""
    message_id = submit(guard, subject="board <b>paper</b>")
    with page(guard, follow_redirects=True) as scanner:
        for link in links_of(guard, message_id):
            for _ in range(3):
                shown = scanner.get(link)
                assert shown.status_code == 200
            assert "board &lt;b&gt;paper&lt;/b&gt;" in shown.text
            for script in re.findall(r'<script[^>]*src="([^"]+)"', shown.text):
                code = scanner.get(script).text
                assert "submit(" not in code
                assert ".click(" not in code
            for more in re.findall(r'(?:href|src)="(/[^"]*)"', shown.text):
                scanner.get(more)
            assert scanner.head(link).status_code in (200, 405)
    assert state_of(guard, message_id) == "held"


def test_the_button_stops_it_and_takes_that_back(guard: Guard) -> None:
    message_id = submit(guard)
    show, cancel = links_of(guard, message_id)
    with page(guard) as telephone:
        stopped = telephone.post(cancel, data={"verb": "cancel"})
        assert "Stopped. It will never go to m.dupont@customer.example." in stopped.text
        assert state_of(guard, message_id) == "cancelled"
        assert 'value="restore"' in stopped.text
        assert "It is held again" in telephone.post(cancel, data={"verb": "restore"}).text
        assert state_of(guard, message_id) == "held"
        # Nothing else comes from it: no sign-in, no other verb, and none from the link that only shows.
        assert not telephone.cookies
        for verb in ("release", "approve", "", "cancel restore"):
            assert telephone.post(cancel, data={"verb": verb}).status_code == 404
        assert telephone.post(show, data={"verb": "cancel"}).status_code == 404
        assert telephone.get("/").status_code == 303
    assert state_of(guard, message_id) == "held"
    told = [event["by"] for event in guard.ask("show", message_id)["events"]]
    assert told[-1] == "alice"


def test_it_is_bound_to_its_person(guard: Guard) -> None:
    """A link that our key signed for somebody else still meets the front desk's own check."""
    message_id = submit(guard, sender="bob@corp.example")
    _, cancel = links_of(guard, message_id)
    with page(guard) as telephone:
        assert "plans" not in telephone.get(cancel).text
        assert telephone.post(cancel, data={"verb": "cancel"}).status_code == 200
    assert state_of(guard, message_id) == "held"


def test_an_admins_link_is_that_of_a_person(guard: Guard) -> None:
    message_id = submit(guard)
    _, cancel = links_of(guard, message_id, user="root", sender="root@corp.example")
    with page(guard) as telephone:
        telephone.post(cancel, data={"verb": "cancel"})
    assert state_of(guard, message_id) == "held"


def test_what_is_no_link(guard: Guard) -> None:
    with page(guard) as telephone:
        for text in ("x", "x.y", "a" * 5000, "%00", "..%2f.."):
            assert telephone.get(f"/l/{text}").status_code in (404, 422), text
            assert telephone.post(f"/l/{text}", data={"verb": "cancel"}).status_code in (404, 422)

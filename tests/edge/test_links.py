"""Links in notices: nobody else makes one, and none is good for more than it says."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailguard.core.link import Link, LinkAction
from mailguard.core.notice import Links
from mailguard.edge.links import GOOD_FOR, LONGEST, SignedLinks
from tests.clocks import FakeClock
from tests.making import message, recipient

PUBLIC = "https://guard.corp.example"
MESSAGE = replace(message(recipient()), user="ann", sender="ann@corp.example")


def text_of(link: str) -> str:
    assert link.startswith(f"{PUBLIC}/l/")
    return link.removeprefix(f"{PUBLIC}/l/")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def links(clock: FakeClock) -> SignedLinks:
    return SignedLinks(b"k" * 32, public_url=PUBLIC, clock=clock)


def test_the_sender_may_stop_it(links: SignedLinks, clock: FakeClock) -> None:
    made = links.of(MESSAGE, "ann@corp.example")
    wanted = Link(action=LinkAction.CANCEL, message_id=MESSAGE.id, login="ann", address="ann@corp.example")
    assert links.read(text_of(made.cancel)) == wanted
    assert links.read(text_of(made.show)) == replace(wanted, action=LinkAction.SHOW)
    # On another guard with the same key.
    assert SignedLinks(b"k" * 32, public_url="", clock=clock).read(text_of(made.cancel)) == wanted


def test_whoever_approves_signs_in(links: SignedLinks) -> None:
    made = links.of(MESSAGE, "boss@corp.example")
    assert made.cancel == ""
    shown = links.read(text_of(made.show))
    assert shown is not None
    assert (shown.action, shown.login, shown.address) == (LinkAction.SHOW, None, "boss@corp.example")


def test_without_a_page_there_are_none(clock: FakeClock) -> None:
    assert SignedLinks(b"k" * 32, public_url="", clock=clock).of(MESSAGE, MESSAGE.sender) == Links()


async def test_it_expires(links: SignedLinks, clock: FakeClock) -> None:
    text = text_of(links.of(MESSAGE, MESSAGE.sender).cancel)
    await clock.advance(GOOD_FOR - timedelta(seconds=1))
    assert links.read(text) is not None
    await clock.advance(timedelta(seconds=2))
    assert links.read(text) is None


def test_nobody_else_makes_one(links: SignedLinks, clock: FakeClock) -> None:
    text = text_of(links.of(MESSAGE, MESSAGE.sender).cancel)
    assert SignedLinks(b"K" * 32, public_url=PUBLIC, clock=clock).read(text) is None
    payload, _, signature = text.rpartition(".")
    shown = text_of(links.of(MESSAGE, MESSAGE.sender).show).rpartition(".")[0]
    for wrong in (
        "",
        ".",
        payload,
        f"{payload}.",
        f"{shown}.{signature}",
        text[:-1],
        f"x{text}",
        "\x00",
        "é.",
    ):
        assert links.read(wrong) is None
    # The last letter of base64 has bits that say nothing; all the others count.
    for place in range(len(text) - 1):
        other = "A" if text[place] != "A" else "B"
        assert links.read(text[:place] + other + text[place + 1 :]) is None
    assert links.read("x" * (LONGEST + 1)) is None

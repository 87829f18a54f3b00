"""Pages of the list: one's own, what waits for one's approval, and an admin's whole one."""

import pytest

from mailguard.core.account import Account
from mailguard.core.actor import ADMIN, Actor
from mailguard.core.states import FINISHED
from mailguard.flow.listing import LARGEST_PAGE, Listing, may_list, wished
from mailguard.ports import Search
from tests.flow.parts import ANNE, BOB, Parts

BOSS = Actor(name="boss", admin=True, account=Account(login="boss", addresses=("boss@corp.example",)))


def _listing(parts: Parts) -> Listing:
    return Listing(store=parts.store, history=parts.history)


async def _ids(parts: Parts, actor: Actor, *, everybody: bool = False, **wanted: object) -> list[str]:
    found = await _listing(parts).page(actor, wished(wanted, frozenset(), None), everybody=everybody)
    return [one.id for one in found.messages]


async def test_everybody_has_their_own_and_an_admin_asks_for_all(parts: Parts) -> None:
    hers = await parts.id_of()
    anonymous = await parts.id_of(user=None)
    his = await parts.id_of(user="bob", sender="bob@corp.example")
    assert await _ids(parts, ANNE) == [hers, anonymous]
    assert await _ids(parts, BOB) == [his]
    assert await _ids(parts, BOB, everybody=True) == [his]
    assert await _ids(parts, BOSS) == []
    assert await _ids(parts, BOSS, everybody=True) == [hers, anonymous, his]
    # The admin of the machine has no mail of their own, and one list.
    assert await _ids(parts, ADMIN) == [hers, anonymous, his]
    assert await _ids(parts, Actor(name="nobody")) == []


async def test_a_pattern_in_an_account_does_not_open_the_mail_of_other_logins(parts: Parts) -> None:
    await parts.id_of()
    anonymous = await parts.id_of(user=None)
    office = Actor(name="office", account=Account(login="office", addresses=("@corp.example",)))
    assert await _ids(parts, office) == [anonymous]


async def test_a_search_does_not_tell_that_others_mail_fits(parts: Parts) -> None:
    """The store takes all that came without a login for what may be theirs."""
    news = Actor(name="news", account=Account(login="news", addresses=("news-*@corp.example",)))
    for _ in range(3):
        await parts.id_of("doctor@clinic.example", user=None)
    own = [await parts.id_of("all@client.example", user=None, sender="news-a@corp.example") for _ in range(3)]
    listing = _listing(parts)
    for text in ("clinic", "nobody"):
        found = await listing.page(news, Search(text=text, limit=1), everybody=False)
        assert (found.messages, found.after) == ([], None), text
    pages: list[list[str]] = []
    after: str | None = None
    while after is not None or not pages:
        found = await listing.page(news, Search(after=after, limit=1), everybody=False)
        pages.append([one.id for one in found.messages])
        after = found.after
        assert after is None or after in own
    assert pages == [[one] for one in own]


async def test_a_search_is_of_what_one_may_see(parts: Parts) -> None:
    message = await parts.id_of()
    assert await _ids(parts, ANNE, search=" WHERE we ") == [message]
    assert await _ids(parts, ANNE, search="nothing of the kind") == []
    assert await _ids(parts, BOB, search="where we") == []
    assert await _ids(parts, ANNE, rule="external") == [message]
    assert await _ids(parts, ANNE, finished=True) == []
    await parts.decide.cancel(message, ANNE)
    assert await _ids(parts, ANNE, finished=True) == [message]


async def test_no_page_is_longer_than_a_person_reads(parts: Parts) -> None:
    made = [await parts.id_of() for _ in range(LARGEST_PAGE + 5)]
    found = await _listing(parts).page(ANNE, Search(limit=10_000), everybody=False)
    assert [one.id for one in found.messages] == made[:LARGEST_PAGE]
    rest = await _listing(parts).page(ANNE, Search(after=found.after), everybody=False)
    assert [one.id for one in rest.messages] == made[LARGEST_PAGE:]


async def test_an_approver_has_what_waits_for_them_without_its_bcc(parts: Parts) -> None:
    content = b"From: anne@corp.example\r\nTo: desk@newspaper.example\r\nSubject: results\r\n\r\nx\r\n"
    message = await parts.id_of("desk@newspaper.example", "secret@newspaper.example", content=content)
    await parts.id_of()
    [shown] = await _listing(parts).approvals(BOB)
    assert shown.id == message
    assert [one.address for one in shown.recipients] == ["desk@newspaper.example"]
    assert await _listing(parts).approvals(ANNE) == []
    assert await _listing(parts).to_approve(BOB) == [message]
    assert await _listing(parts).to_approve(ANNE) == []


async def test_which_messages_wait_for_somebody_is_told_without_reading_them(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every page of an approver counts them, and each may have twenty-five megabytes."""
    message = await parts.id_of("desk@newspaper.example")

    async def never(message_id: str) -> bytes:
        raise AssertionError(message_id)

    monkeypatch.setattr(parts.store, "content", never)
    assert await _listing(parts).to_approve(BOB) == [message]


async def test_the_list_of_an_admin_with_a_login_is_their_own(parts: Parts) -> None:
    message = await parts.store.find(await parts.id_of())
    assert not may_list(BOSS, message)
    assert may_list(ANNE, message)
    assert may_list(ADMIN, message)


def test_a_request_that_makes_no_sense_asks_for_everything() -> None:
    assert wished({"search": 7, "after": None, "rule": ["x"]}, frozenset(), None) == Search()
    assert wished({"finished": True}, frozenset(), 5) == Search(states=FINISHED, limit=5)

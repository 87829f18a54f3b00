"""Connections are few, used again, and given up when they are no good any more."""

import asyncio
from datetime import timedelta

import pytest

from tests.edge.smtp_out.upstream import CONTENT, HANG_UP, RESET, SILENCE, Upstream, claimed, relaying, words


async def test_one_connection_serves_one_message_after_the_other() -> None:
    upstream = Upstream()
    async with relaying(upstream) as relay:
        for _ in range(5):
            assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
    assert upstream.connections == 1
    assert upstream.verbs() == ["EHLO", *["MAIL", "RCPT", "DATA"] * 5, "QUIT"]


async def test_no_more_connections_than_allowed() -> None:
    upstream = Upstream()
    async with relaying(upstream, connections=3) as relay:
        outcomes = await asyncio.gather(*[relay.attempt(claimed(), CONTENT) for _ in range(30)])
    assert [words(one) for one in outcomes] == [["taken"]] * 30
    assert upstream.most_open <= 3
    assert len(upstream.contents) == 30


async def test_a_connection_is_left_after_so_many_messages() -> None:
    upstream = Upstream()
    async with relaying(upstream, messages_per_connection=2) as relay:
        for _ in range(5):
            await relay.attempt(claimed(), CONTENT)
    assert upstream.connections == 3
    assert upstream.verbs().count("QUIT") == 3


async def test_a_connection_without_work_is_left() -> None:
    upstream = Upstream()
    async with relaying(upstream, idle=timedelta(seconds=0.05)) as relay:
        await relay.attempt(claimed(), CONTENT)
        async with asyncio.timeout(5):
            while upstream.open:
                await asyncio.sleep(0.01)
        assert upstream.verbs()[-1] == "QUIT"
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
    assert upstream.connections == 2


async def test_the_time_without_work_counts_from_the_last_message() -> None:
    upstream = Upstream()
    async with relaying(upstream, idle=timedelta(seconds=0.6)) as relay:
        for _ in range(4):
            assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
            await asyncio.sleep(0.3)
    assert upstream.connections == 1


@pytest.mark.parametrize("goodbye", [HANG_UP, RESET, "421 4.4.2 idle too long"])
async def test_a_server_that_left_in_the_meantime_costs_no_delay(goodbye: str) -> None:
    """The first of the next message is met by a goodbye: nothing was offered yet, so a new connection is
    tried at once."""
    upstream = Upstream(script={"MAIL": ["250 ok", goodbye]})
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
    assert upstream.connections == 2
    assert upstream.contents == [CONTENT, CONTENT]


async def test_a_connection_that_was_closed_while_idle_is_not_used() -> None:
    upstream = Upstream(script={"MESSAGE": ["250 ok\r\n421 4.4.2 bye"]})
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
        await asyncio.sleep(0.05)
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
    assert upstream.connections == 2


async def test_a_new_connection_that_breaks_is_not_tried_again_at_once() -> None:
    upstream = Upstream(script={"MAIL": [RESET, RESET]})
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed(), CONTENT)) == ["later"]
    assert upstream.connections == 1


async def test_the_goodbye_of_a_silent_server_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailguard.edge.smtp_out.session._QUIT_TIMEOUT", timedelta(seconds=0.05))
    upstream = Upstream(script={"QUIT": [SILENCE]})
    async with asyncio.timeout(5), relaying(upstream) as relay:
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]

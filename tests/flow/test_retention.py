"""What is finished is forgotten in time, and nothing else is; what is forgotten is gone from the disk."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from mailguard.core.actor import ADMIN
from mailguard.core.errors import NoSuchMessage
from mailguard.core.states import MessageState
from mailguard.core.told import Told
from tests.flow.parts import ANNE, MESSAGE, Parts, opened
from tests.slices import rounds

CANARY = b"the merger is called off"


async def test_a_cancelled_message_keeps_its_bytes_for_as_long_as_it_can_be_restored(parts: Parts) -> None:
    message = await parts.id_of()
    await parts.decide.cancel(message, ANNE)
    await parts.clock.advance(timedelta(days=6))
    await parts.retention.sweep()
    assert await parts.store.content(message) is not None
    await parts.clock.advance(timedelta(days=2))
    await parts.retention.sweep()
    assert await parts.store.content(message) is None
    assert (await parts.decide.restore(message, ANNE)).told is Told.TOO_LATE


async def test_the_metadata_goes_after_its_time(parts: Parts) -> None:
    message = await parts.id_of("boss@corp.example")
    await parts.tick()
    await parts.clock.advance(timedelta(days=89))
    await parts.retention.sweep()
    await parts.store.find(message)
    await parts.clock.advance(timedelta(days=2))
    assert await parts.retention.sweep() == 1
    with pytest.raises(NoSuchMessage):
        await parts.store.find(message)


async def test_what_is_not_finished_is_never_forgotten(parts: Parts) -> None:
    message = await parts.id_of()
    await parts.clock.advance(timedelta(days=1000))
    await parts.retention.sweep()
    assert await parts.store.content(message) is not None


async def test_a_message_can_be_handed_in_again_however_short_its_history_is_kept(parts: Parts) -> None:
    parts.rules.current = type(parts.rules)(
        'internal_domains = ["corp.example"]\nkeep = "0s"\nundo = "0s"'
    ).current
    message = await parts.id_of("boss@corp.example", content=MESSAGE)
    await parts.tick()
    await parts.clock.advance(timedelta(minutes=9))
    assert await parts.retention.sweep() == 0
    assert await parts.id_of("boss@corp.example", content=MESSAGE) == message
    await parts.clock.advance(timedelta(minutes=2))
    assert await parts.retention.sweep() == 1


def seen(directory: Path) -> list[str]:
    """The files in which the canary still sings."""
    return sorted(one.name for one in directory.iterdir() if CANARY in one.read_bytes())


async def test_the_bytes_are_gone_from_every_file_and_the_history_remains(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        content = MESSAGE.replace(b"Two positions", CANARY * 400)
        sent = await parts.id_of("boss@corp.example", content=content)
        stopped = await parts.id_of("client@customer.example", content=content)
        kept = await parts.id_of("other@customer.example")
        await parts.decide.cancel(stopped, ANNE)
        await parts.tick()
        assert seen(tmp_path) != []
        await parts.clock.advance(timedelta(minutes=10))
        await parts.retention.sweep()
        # That which was sent is gone; the cancelled one may be restored.
        assert await parts.store.content(sent) is None
        assert await parts.store.content(stopped) == content
        await parts.clock.advance(timedelta(days=7))
        await parts.retention.sweep()
        assert seen(tmp_path) == []
        assert [event.event for event in await parts.store.events(sent)] == ["received", "claim", "settle"]
        assert [event.event for event in await parts.store.events(stopped)] == ["received", "cancel"]
        assert await parts.store.content(kept) is not None
    assert seen(tmp_path) == []


async def test_a_sent_message_is_gone_from_the_disk_at_the_next_sweep(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        await parts.id_of("boss@corp.example", content=MESSAGE.replace(b"Two positions", CANARY))
        await parts.tick()
        assert await parts.retention.sweep() == 0
        assert seen(tmp_path) == []


async def test_new_mail_need_not_wait_for_a_sweep_to_end(parts: Parts) -> None:
    for _ in range(12):
        replies = await asyncio.gather(*(parts.submit("boss@corp.example") for _ in range(50)))
        assert all(reply.accepted for reply in replies)
        await parts.tick()
    await parts.clock.advance(timedelta(days=100))
    sweep = asyncio.create_task(parts.retention.sweep())
    meanwhile = 0
    while not sweep.done():
        await parts.submit("client@customer.example")
        meanwhile += 1
    assert await sweep == 600
    # Six bites, and a turn for others after each.
    assert meanwhile >= 4


def resident() -> int:
    """Bytes of memory that this process really has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_ten_thousand_in_and_out_leave_the_files_as_they_were(tmp_path: Path) -> None:
    """Days of mail, each swept away in its time: the file, the memory and the open files stay flat."""
    async with opened(tmp_path) as parts:
        rules = 'internal_domains = ["corp.example"]\nkeep = "1d"\nundo = "1d"'
        parts.rules.current = type(parts.rules)(rules).current
        sizes, memory, files = [], [], []
        for day in range(rounds(20, slice_of=2)):
            for number in range(500):
                content = (
                    MESSAGE.replace(b"<one@", b"<d%d.%d@" % (day, number))
                    + os.urandom(8192).hex().encode()
                    + b"\r\n"
                )
                await parts.submit("boss@corp.example", content=content)
                if number % 100 == 99:
                    await parts.tick()
                    parts.relay.taken.clear()
            parts.log.lines.clear()
            await parts.clock.advance(timedelta(days=2))
            assert await parts.retention.sweep() == 500
            sizes.append(sum(one.stat().st_size for one in tmp_path.iterdir()))
            memory.append(resident())
            files.append(len(list(Path("/proc/self/fd").iterdir())))
        census = await parts.store.census(parts.clock.now())
        assert sum(census.by_state.values()) == 0
        assert await parts.history.listing(ADMIN, finished=True, states=frozenset({MessageState.SENT})) == []
        print(f"bytes {sizes}; resident {memory}; open files {files}")
        # 500 messages are some 8 MB; what is left of them is the schema and a free page or two.
        assert max(sizes) < 6 * 1024 * 1024
        assert max(memory[1:]) - memory[1] < 24 * 1024 * 1024
        assert max(files) == min(files)

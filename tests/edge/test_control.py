"""The control socket over a real Unix socket, with the command line's own client."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from mailguard.core.actor import Actor
from mailguard.edge import control_client
from mailguard.edge.control import ControlServer
from tests.upstreams import Lines

Json = dict[str, object]


async def parrot(request: Mapping[str, object], actor: Actor) -> Json:
    """Answers with what it was asked, or fails as told."""
    if request.get("verb") == "fail":
        raise RuntimeError("password=hunter2")
    return {"told": "done", "text": str(request.get("verb")), "admin": actor.admin}


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    """A socket that a server listens on."""
    where = tmp_path / "control.sock"
    server = ControlServer(path=where, answer=parrot, log=Lines())
    await server.start()
    yield where
    await server.close()
    assert not where.exists()


async def test_a_question_is_answered(path: Path) -> None:
    answer = await asyncio.to_thread(control_client.ask, path, {"verb": "status"})
    assert answer == {"told": "done", "text": "status", "admin": True}


async def test_a_large_question_is_answered_too(path: Path) -> None:
    answer = await asyncio.to_thread(control_client.ask, path, {"verb": "x" * 3_000_000})
    assert len(str(answer["text"])) == 3_000_000


async def test_only_the_owner_may_open_the_socket(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_fault_is_an_answer_without_its_text(path: Path) -> None:
    answer = await asyncio.to_thread(control_client.ask, path, {"verb": "fail"})
    assert answer["told"] == "fault"
    assert "hunter2" not in str(answer)


@pytest.mark.parametrize("line", [b"{\n", b"[]\n", b"\xff\n", b"null\n"])
async def test_nonsense_is_refused_and_the_next_question_answered(path: Path, line: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line + b'{"verb": "status"}\n')
    assert b"refused" in await reader.readline()
    assert b"status" in await reader.readline()
    writer.close()


async def test_where_nobody_listens_the_client_says_so(tmp_path: Path) -> None:
    with pytest.raises(control_client.NotRunning):
        control_client.ask(tmp_path / "none.sock", {})
    stale = tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(stale))
    with pytest.raises(control_client.NotRunning):
        control_client.ask(stale, {})


async def test_a_guard_that_goes_away_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    path = tmp_path / "control.sock"
    async with await asyncio.start_unix_server(hang_up, path=path):
        with pytest.raises(control_client.CutOff):
            await asyncio.to_thread(control_client.ask, path, {"verb": "cancel"})

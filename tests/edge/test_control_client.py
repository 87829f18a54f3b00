"""The client's side alone: answers that are cut off or make no sense."""

import asyncio
from pathlib import Path

import pytest

from mailguard.edge import control_client


async def served(path: Path, answer: bytes) -> asyncio.Server:
    """Somebody who answers every line with the same bytes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(talk, path=path)


@pytest.mark.parametrize("answer", [b'{"told": "done"', b"[]\n"])
async def test_half_an_answer_and_a_senseless_one_leave_the_outcome_unknown(
    tmp_path: Path, answer: bytes
) -> None:
    path = tmp_path / "control.sock"
    async with await served(path, answer):
        with pytest.raises(control_client.CutOff):
            await asyncio.to_thread(control_client.ask, path, {})


async def test_an_answer_in_pieces_comes_together(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    async with await served(path, b'{"text": "' + b"x" * 200_000 + b'"}\n'):
        answer = await asyncio.to_thread(control_client.ask, path, {})
        assert len(str(answer["text"])) == 200_000

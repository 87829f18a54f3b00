"""The control socket: how the command line talks to the running guard.

One JSON object on one line each way, on a Unix socket in the state directory. Whoever may open the socket
(mode 0600) and runs as root or as the guard's own user is the admin of this machine.
"""

import asyncio
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from mailguard.core.actor import ADMIN, Actor
from mailguard.ports import Log

Json = dict[str, object]
Answerer = Callable[[Mapping[str, object], Actor], Awaitable[Json]]

# A message for `try` comes whole, in base64.
LONGEST_REQUEST = 64 * 1024 * 1024
# struct ucred: pid, uid, gid (unix(7), SO_PEERCRED).
_UCRED = struct.Struct("3i")


class ControlServer:
    """Listens until closed; each connection may ask many questions, one after the other."""

    def __init__(self, *, path: Path, answer: Answerer, log: Log) -> None:
        self._path = path
        self._answer = answer
        self._log = log
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the socket. The state directory's lock is held, so a socket that is there is a stale one."""
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._talk, path=self._path, limit=LONGEST_REQUEST)
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Take no more questions; those under way are cut off."""
        if self._server is not None:
            self._server.close()
        for talk in tuple(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._talks.add(task)
            task.add_done_callback(self._talks.discard)
        try:
            if _is_admin(writer):
                await self._questions(reader, writer)
        except (ConnectionError, ValueError, asyncio.CancelledError):
            # Hung up, too long a line, or the guard stops: the caller sees the end of the connection.
            pass
        finally:
            writer.close()

    async def _questions(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            answer = await self._safe_answer(line)
            # A long list takes longer to write down than the loop may stand still.
            writer.write(await asyncio.to_thread(_line, answer))
            await writer.drain()

    async def _safe_answer(self, line: bytes) -> Json:
        try:
            request = await asyncio.to_thread(json.loads, line)
        except ValueError:
            return {"told": "refused", "text": "the request is no JSON"}
        if not isinstance(request, dict):
            return {"told": "refused", "text": "the request is no JSON object"}
        try:
            return await self._answer(request, ADMIN)
        except Exception as error:  # noqa: BLE001  whatever went wrong, the caller gets an answer
            self._log.trouble("control_fault", verb=str(request.get("verb")), fault=repr(error))
            return {"told": "fault", "text": f"a fault of ours ({type(error).__name__}); the log has more"}


def _line(answer: Json) -> bytes:
    return (json.dumps(answer) + "\n").encode()


def _is_admin(writer: asyncio.StreamWriter) -> bool:
    peer: socket.socket = writer.get_extra_info("socket")
    _pid, uid, _gid = _UCRED.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return uid in (0, os.geteuid())

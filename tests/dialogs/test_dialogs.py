"""Every dialog of this folder, word for word.

`C:` is what the client sends, with CRLF; `S:` is what the server must answer, a regular expression for one
reply line. `C:` lines on end are sent in one packet. `TLS` makes the client's half of a handshake, `END`
means that the server hangs up. `#` starts a comment; `@` sets what the server is like.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clocks import FakeClock
from tests.edge.smtp_in.parts import CLIENT_CONTEXT, NOBODY_TRUSTED, OPTIONS, Client, serving

DIALOGS = sorted(Path(__file__).parent.glob("*.smtp"))


def steps(path: Path) -> tuple[set[str], list[tuple[str, str]]]:
    """What the server is like, and what is said."""
    settings: set[str] = set()
    said: list[tuple[str, str]] = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        word, _, rest = line.partition(" ")
        if word == "@":
            settings.add(rest)
        elif word in ("C:", "S:", "TLS", "END"):
            said.append((word, rest))
        else:
            assert not line or line.startswith("#"), f"{path.name}: what is {line!r}?"
    return settings, said


async def play(client: Client, said: list[tuple[str, str]]) -> None:
    """Go through a dialog; a wrong answer is told with the line that it should have been."""
    waiting = b""
    for word, text in said:
        if word == "C:":
            waiting += text.encode().decode("unicode_escape").encode("latin-1") + b"\r\n"
            continue
        if waiting:
            await client.send(waiting)
            waiting = b""
        if word == "TLS":
            await client.writer.start_tls(CLIENT_CONTEXT, server_hostname="localhost")
        elif word == "END":
            assert await client.gone()
        else:
            line = (await client.reader.readline()).decode().removesuffix("\r\n")
            assert re.fullmatch(text, line), f"expected {text!r}, got {line!r}"
    if said[-1][0] != "END":
        assert await client.ask(b"QUIT") == b"221 2.0.0 Goodbye\r\n", "the server had more to say"


@pytest.mark.parametrize("path", DIALOGS, ids=lambda path: path.stem)
async def test_dialog(path: Path) -> None:
    settings, said = steps(path)
    assert settings <= {"nobody is trusted", "tls", "three recipients at most"}
    options = NOBODY_TRUSTED if "nobody is trusted" in settings else OPTIONS
    if "three recipients at most" in settings:
        options = replace(options, max_recipients=3)
    async with serving(options, tls="tls" in settings, clock=FakeClock()) as server:
        client = await server.connect(hello=False)
        await play(client, said)


def test_there_are_dialogs() -> None:
    assert len(DIALOGS) >= 70

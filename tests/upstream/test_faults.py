"""Whatever the upstream does: nothing is lost, nothing leaves in the clear that should not, nothing arrives
twice unsaid, the sender is told why, and it goes through when the fault is over."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from mailguard.core.hold import HeldMessage
from mailguard.core.states import RecipientState
from tests import sink as sinks
from tests.programs import free_port
from tests.upstream.certificates import Certificates
from tests.upstream.joined import joined
from tests.upstream.proxy import Fault, Proxy, spoiling
from tests.upstream.table import FAILED, GRAVEST, LATER, ROWS, STARTTLS, Row

SENDER = "anne@corp.example"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def sink() -> Iterator[sinks.Sink]:
    with sinks.running() as running:
        yield running


def _marked(row: Row) -> ParameterSet:
    """Every row is run by `make test-slow`, a slice of it included; the plain suite takes the gravest."""
    return pytest.param(row, id=row.name, marks=() if row.name in GRAVEST else pytest.mark.slow)


@pytest.mark.parametrize("row", [_marked(row) for row in ROWS])
async def test_fault(row: Row, tmp_path: Path, certificates: Certificates, sink: sinks.Sink) -> None:
    sink.deliveries.clear()
    wanted = (row.states,) if isinstance(row.states, str) else row.states
    content, port = _content(row), free_port()
    async with joined(tmp_path, port, **_options(row, certificates)) as guard:
        to = [f"r{n}@corp.example" for n in range(len(wanted))]
        message = await guard.parts.id_of(*to, content=content)
        async with spoiling(sink.port, row.fault(certificates), port=port) as proxy:
            await guard.parts.tick()
        found, shown = await guard.find(message), await guard.shown(message)
        assert tuple(r.state.value for r in found.recipients) == wanted, shown
        _told(row, found, shown)
        assert row.tls == "none" or _quiet(proxy), proxy.clear
        # The fault is over: what is left goes, without any restart.
        async with spoiling(sink.port, _well(row, certificates), port=port):
            for _ in range(3):
                await guard.parts.tick(timedelta(minutes=1))
        found = await guard.find(message)
        assert not any(r.state is RecipientState.DEFERRED for r in found.recipients), found.recipients
    assert _copies(sink, content) == row.copies
    bounces = [one for one in sink.deliveries if one.sender == ""]
    assert len(bounces) == (1 if FAILED in wanted else 0)
    assert all(b"canary" not in one.content for one in bounces)


def _options(row: Row, certificates: Certificates) -> dict[str, object]:
    """How the guard is set up for this row."""
    login = {"username": "guard", "password": "canary"} if row.login else {}
    patience = {} if row.stage == "DOT" else {"data_timeout": timedelta(seconds=10)}
    return {"tls": row.tls, "ca_file": certificates.file if row.tls != "none" else None, **login, **patience}


def _told(row: Row, found: HeldMessage, shown: str) -> None:
    assert any(row.reason in (r.reply or "") for r in found.recipients), shown
    assert all((r.reply or "").isprintable() for r in found.recipients), shown
    assert ("next_try'" in shown) is (LATER in shown)
    assert ("may_arrive_twice" in shown) is row.twice, shown
    assert "canary" not in shown


def _content(row: Row) -> bytes:
    return b"From: anne@corp.example\r\nTo: r0@corp.example\r\nSubject: s\r\n\r\n" + (
        row.body or b"hello\r\n"
    )


def _copies(sink: sinks.Sink, content: bytes) -> int:
    return sum(1 for one in sink.deliveries if one.sender == SENDER and one.content.endswith(content))


def _quiet(proxy: Proxy) -> bool:
    return all(command.partition(" ")[0] in ("EHLO", "STARTTLS", "QUIT") for command in proxy.clear)


def _well(row: Row, certificates: Certificates) -> Fault:
    if row.tls == "none":
        return Fault(offers=("AUTH PLAIN", "8BITMIME") if row.login else None)
    return Fault(offers=STARTTLS, context=certificates.server(), at_once=row.tls == "tls")

"""More than anybody should ask for: it costs the guard little, and holds up nobody else."""

import contextlib
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import guard as guards
from tests.guard import Guard
from tests.hostile.talk import FROM, LOG_IN, Talk
from tests.sink import Sink

MIB = 1 << 20


def status(guard: Guard, name: str) -> int:
    """A figure of /proc/PID/status, in bytes: VmRSS, or VmHWM for the most it ever was."""
    assert guard.process
    text = Path(f"/proc/{guard.process.pid}/status").read_text()
    [line] = [line for line in text.splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024


def forget_peak(guard: Guard) -> None:
    """VmHWM starts anew from what is in use now."""
    assert guard.process
    Path(f"/proc/{guard.process.pid}/clear_refs").write_text("5")


def open_files(guard: Guard) -> int:
    assert guard.process
    return len(list(Path(f"/proc/{guard.process.pid}/fd").iterdir()))


def until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextlib.contextmanager
def answered_meanwhile(guard: Guard) -> Iterator[list[float]]:
    """Another client that asks all the time; how long it waited for each answer."""
    waits: list[float] = []
    done = threading.Event()

    def ask() -> None:
        with Talk(guard) as talk:
            for _ in range(900):
                begun = time.monotonic()
                assert talk.code(b"NOOP") == 250
                waits.append(time.monotonic() - begun)
                if done.wait(0.005):
                    return

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield waits
    finally:
        done.set()
        thread.join()


def flood(guard: Guard, line: bytes, size: int) -> bytes:
    """So many bytes of this line as one message; the reply to it."""
    with Talk(guard, timeout=60) as talk:
        talk.begin(b"bob@corp.example")
        piece = line * (65536 // len(line))
        for _ in range(size // len(piece)):
            talk.send(piece)
        return talk.ask(b".")


@pytest.mark.parametrize("line", [b"\r\n", b"..\r\n", b"x: y\r\n"])
def test_thirty_mebibytes_of_short_lines_cost_little_and_hold_up_nobody(guard: Guard, line: bytes) -> None:
    flood(guard, line, 65536)
    forget_peak(guard)
    before = status(guard, "VmRSS")
    with answered_meanwhile(guard) as waits:
        reply = flood(guard, line, 30 * MIB)
    assert reply.startswith((b"552 5.3.4 ", b"250 ")), reply
    grown = status(guard, "VmHWM") - before
    assert grown < 40 * MIB, f"{grown / MIB:.0f} MiB more"
    # The machine may be busy with other tests: a single long wait need not be the guard's.
    assert statistics.median(waits) < 0.2, f"{max(waits):.3f} s at worst"
    assert max(waits) < 3


def test_a_thousand_commands_in_one_write(guard: Guard) -> None:
    with Talk(guard) as talk:
        talk.send(b"NOOP\r\n" * 1000)
        assert {talk.reply() for _ in range(1000)} == {b"250 2.0.0 Ok\r\n"}
        assert talk.code(b"QUIT") == 221


def test_the_commands_of_a_hundred_messages_in_one_write(guard: Guard, sink: Sink) -> None:
    envelope = FROM + b"\r\nRCPT TO:<pipelined@corp.example>\r\nDATA\r\n"
    with Talk(guard, timeout=60) as talk:
        said = [envelope + b"Subject: %d\r\n\r\n..x\r\n.\r\n" % number for number in range(100)]
        talk.send(b"".join(said) + b"QUIT\r\n")
        codes = [int(talk.reply()[:3]) for _ in range(401)]
        assert codes == [250, 250, 354, 250] * 100 + [221]
        assert talk.reply() == b""
    until(lambda: sum("pipelined@corp.example" in one.recipients for one in sink.deliveries) == 100, 60)


def test_a_chunk_is_never_read_as_commands(guard: Guard, sink: Sink) -> None:
    with Talk(guard) as talk:
        assert talk.codes(FROM, b"RCPT TO:<bob@client.example>") == [250, 250]
        chunk = b"RSET\r\nMAIL FROM:<>\r\nRCPT TO:<chunk@x.example>\r\nDATA\r\nx\r\n.\r\n"
        talk.send(b"BDAT %d LAST\r\n%b" % (len(chunk), chunk))
        assert talk.rest().startswith(b"502 5.5.1 ")
    assert not any("chunk@x.example" in delivery.recipients for delivery in sink.deliveries)


def test_long_parameters_beside_new_connections(guard: Guard) -> None:
    """No count of the length of commands is shared between sessions."""
    long = FROM + b" SIZE=1000 BODY=8BITMIME RET=HDRS ENVID=" + b"x" * 100 + b" AUTH=" + b"y" * 300
    rcpt = b"RCPT TO:<bob@client.example> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;" + b"z" * 450
    with Talk(guard) as talk:
        for _ in range(30):
            with Talk(guard) as other:
                assert talk.codes(long, rcpt) == [250, 250]
                other.code(b"EHLO x")
            assert talk.codes(rcpt, b"RSET") == [250, 250]


def test_a_client_that_only_sits_there_does_not_keep_others_out(guard: Guard) -> None:
    """From one address there are so many connections and no more; another address has its own."""
    crowd = [Talk(guard, source="127.0.0.9") for _ in range(300)]
    try:
        with pytest.raises(AssertionError):
            Talk(guard, source="127.0.0.9")
        with Talk(guard) as talk:
            assert talk.codes(FROM, b"RSET") == [250, 250]
    finally:
        for one in crowd:
            one.socket.close()


def test_tls_that_ends_without_a_goodbye_leaves_nothing_behind(guard: Guard) -> None:
    """No close_notify, and a reset in the middle of a record."""
    with Talk(guard, tls=True) as talk:
        assert talk.code(b"NOOP") == 250
    base = open_files(guard)
    for _ in range(20):
        talk = Talk(guard, tls=True)
        talk.begin()
        talk.send(b"half a mess")
        raw = talk.socket.detach()
        socket.socket(fileno=raw).close()
    until(lambda: open_files(guard) <= base + 5, 20)
    assert "smtp_fault" not in guard.log()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_handshakes_left_hanging_are_gone_again(guard: Guard) -> None:
    base = open_files(guard)
    # The guard opens and closes a file of its own now and then.
    hanging = [socket.create_connection(("127.0.0.1", guard.tls_port), 10) for _ in range(100)]
    for _ in range(100):
        talk = Talk(guard, timeout=10)
        assert talk.code(b"STARTTLS") == 220
        # The beginning of a handshake that never goes on.
        talk.send(b"\x16\x03\x01\x02\x00\x01")
        hanging.append(talk.socket)
    try:
        until(lambda: open_files(guard) >= base + 190, 10)
        with Talk(guard, tls=True, source="127.0.0.8") as other:
            assert other.code(b"NOOP") == 250
        until(lambda: open_files(guard) <= base + 5, 60)
    finally:
        for one in hanging:
            one.close()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_guessing_costs_time_and_then_the_connection_and_locks_nobody_out(strict: Guard) -> None:
    with Talk(strict, tls=True, source="127.0.0.5", timeout=60) as talk:
        begun = time.monotonic()
        said = [talk.ask(b"AUTH PLAIN AGFsaWNlAA%b=" % guess) for guess in (b"Ex", b"Iy", b"Mz")]
        spent = time.monotonic() - begun
        assert [reply[:9] for reply in said] == [b"535 5.7.8", b"535 5.7.8", b"421 4.7.0"]
        assert spent > 7
        assert talk.reply() == b""
    with Talk(strict, tls=True, timeout=60) as talk:
        begun = time.monotonic()
        assert talk.code(LOG_IN) == 235
        assert time.monotonic() - begun < spent
    assert guards.PASSWORD not in strict.log()

"""AUTH: who may try, what a client may say, and what a wrong password costs."""

import asyncio
import gc
import warnings
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest

from mailguard.core.account import Account
from tests.clocks import FakeClock
from tests.edge.smtp_in.parts import NOBODY_TRUSTED, SECRET, Client, Server, named, reset, serving, until

AT_ONCE = replace(NOBODY_TRUSTED, auth_delay=timedelta(0))


def plain(login: str, password: str, authorize: str = "") -> bytes:
    return b64encode(f"{authorize}\0{login}\0{password}".encode())


GOOD = b"AUTH PLAIN " + plain("ann", SECRET)
BAD = b"AUTH PLAIN " + plain("ann", "wrong")


@pytest.mark.parametrize(
    "lines",
    [
        [GOOD],
        [b"auth plain " + plain("ann", SECRET)],
        [b"AUTH PLAIN " + plain("ann", SECRET, "ann")],
        [b"AUTH PLAIN", plain("ann", SECRET)],
        [b"AUTH LOGIN", b64encode(b"ann"), b64encode(SECRET.encode())],
        [b"AUTH login " + b64encode(b"ann"), b64encode(SECRET.encode())],
    ],
)
async def test_a_login_may_send_as_its_own_addresses(lines: list[bytes]) -> None:
    async with serving(NOBODY_TRUSTED) as server:
        client = await server.connect()
        codes = await client.codes(*lines)
        assert codes == [334] * (len(lines) - 1) + [235]
        assert await client.ask(b"MAIL FROM:<boss@corp.example>") == (
            b"553 5.7.1 This login may not send as this address\r\n"
        )
        for sender in (b"ann@corp.example", b"ANN@CORP.EXAMPLE", b"news-may@corp.example", b""):
            assert (await client.mail(sender=sender)).startswith(b"250 ")
        assert {(one.user, one.protocol) for one in server.inbox.submissions} == {("ann", "ESMTPA")}
        assert await client.codes(GOOD) == [503]


async def test_the_prompts_are_those_that_outlook_compares() -> None:
    async with serving(NOBODY_TRUSTED) as server:
        client = await server.connect()
        assert await client.ask(b"AUTH LOGIN") == b"334 VXNlcm5hbWU6\r\n"
        assert await client.ask(b64encode(b"ann")) == b"334 UGFzc3dvcmQ6\r\n"
        assert await client.ask(b64encode(SECRET.encode())) == b"235 2.7.0 Logged in\r\n"
        client = await server.connect()
        assert await client.ask(b"AUTH PLAIN") == b"334 \r\n"


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ([b"AUTH"], [501]),
        ([b"AUTH PLAIN x y"], [501]),
        ([b"AUTH CRAM-MD5"], [504]),
        ([b"AUTH PLAIN", b"*"], [334, 501]),
        ([b"AUTH LOGIN", b64encode(b"ann"), b"*"], [334, 334, 501]),
        ([b"AUTH PLAIN not-base64"], [501]),
        ([b"AUTH PLAIN " + b64encode(b"\xff\0\xff\0\xff")], [501]),
        ([b"AUTH PLAIN " + b64encode(b"no zeros")], [501]),
        ([b"AUTH PLAIN ="], [501]),
        ([b"AUTH PLAIN", b"x" * 12290], [334, 500]),
        ([b"AUTH PLAIN " + plain("ann", SECRET, "boss")], [535]),
        ([b"AUTH PLAIN " + plain("ann", "")], [535]),
        ([b"AUTH LOGIN =", b64encode(SECRET.encode())], [334, 535]),
        ([b"MAIL FROM:<>", GOOD], [530, 235]),
    ],
)
async def test_exchanges_that_go_wrong(lines: list[bytes], codes: list[int]) -> None:
    async with serving(AT_ONCE) as server:
        client = await server.connect()
        assert await client.codes(*lines) == codes
        assert await client.codes(b"NOOP") == [250]


async def test_an_empty_password_is_not_even_looked_at() -> None:
    async with serving(AT_ONCE) as server:
        client = await server.connect()
        assert await client.codes(b"AUTH PLAIN " + plain("ann", "")) == [535]
        assert server.people.asked == []


async def test_no_login_in_the_middle_of_a_message() -> None:
    async with serving() as server:
        client = await server.connect()
        assert await client.codes(b"MAIL FROM:<>", GOOD, b"RSET", GOOD) == [250, 503, 250, 235]


async def test_without_accounts_there_is_no_auth() -> None:
    async with serving(logins=False) as server:
        client = await server.connect()
        assert b"AUTH" not in await client.ask(b"EHLO x")
        assert await client.codes(GOOD) == [502]


async def test_a_password_may_be_sent_over_tls_only() -> None:
    async with serving(NOBODY_TRUSTED, tls=True) as server:
        client = await server.connect()
        assert b"AUTH" not in await client.ask(b"EHLO x")
        assert await client.codes(GOOD, b"AUTH LOGIN") == [538, 538]
        assert server.people.asked == []
        await client.starttls()
        assert b"AUTH PLAIN LOGIN" in await client.ask(b"EHLO x")
        assert await client.codes(GOOD) == [235]


async def test_unless_the_admin_wants_it_otherwise() -> None:
    async with serving(replace(NOBODY_TRUSTED, auth_without_tls=True), tls=True) as server:
        client = await server.connect()
        assert await client.codes(GOOD) == [235]


async def pass_time(clock: FakeClock, answer: "asyncio.Task[bytes]") -> float:
    """Let the clock run until the answer is there; how many seconds that took."""
    seconds = 0.0
    while not answer.done():
        await clock.advance(timedelta(seconds=0.5))
        seconds += 0.5
        assert seconds < 100
    return seconds


async def waits(clock: FakeClock, client: Client, line: bytes) -> tuple[float, bytes]:
    answer = asyncio.create_task(client.ask(line))
    await asyncio.sleep(0.05)
    seconds = await pass_time(clock, answer)
    return seconds, answer.result()


async def test_every_wrong_password_costs_twice_the_time_and_the_third_the_session() -> None:
    clock = FakeClock()
    async with serving(NOBODY_TRUSTED, clock=clock) as server:
        client = await server.connect()
        assert await waits(clock, client, BAD) == (1.0, b"535 5.7.8 Login or password is wrong\r\n")
        assert (await waits(clock, client, BAD))[0] == 2.0
        seconds, reply = await waits(clock, client, BAD)
        assert (seconds, reply[:9]) == (4.0, b"421 4.7.0")
        assert await client.gone()


async def test_a_new_connection_does_not_make_guessing_cheap() -> None:
    clock = FakeClock()
    async with serving(replace(NOBODY_TRUSTED, max_auth_failures_per_ip=4), clock=clock) as server:
        spent = []
        for guess in range(4):
            client = await server.connect()
            spent.append((await waits(clock, client, b"AUTH PLAIN " + plain("ann", f"guess {guess}")))[0])
        assert spent == [1.0, 2.0, 4.0, 8.0]
        asked = len(server.people.asked)
        client = await server.connect()
        assert (await client.ask(GOOD)).startswith(b"421 4.7.0 ")
        assert len(server.people.asked) == asked
        await clock.advance(timedelta(minutes=10))
        assert await (await server.connect()).codes(GOOD) == [235]


async def test_a_right_password_makes_up_for_the_wrong_ones() -> None:
    clock = FakeClock()
    async with serving(NOBODY_TRUSTED, clock=clock) as server:
        assert (await waits(clock, await server.connect(), BAD))[0] == 1.0
        assert await (await server.connect()).codes(GOOD) == [235]
        another = b"AUTH PLAIN " + plain("ann", "wrong too")
        assert (await waits(clock, await server.connect(), another))[0] == 1.0


async def test_nothing_secret_is_logged() -> None:
    async with serving(AT_ONCE) as server:
        client = await server.connect()
        await client.codes(b"AUTH PLAIN " + plain(SECRET, "ann"), b"AUTH PLAIN " + plain("ann", SECRET + "x"))
        assert [line["user"] for line in named(server.log, "login_failed")] == [None, "ann"]
        assert [line["peer"] for line in named(server.log, "login_failed")] == ["127.0.0.1"] * 2
        assert SECRET not in repr(server.log.lines)
        assert plain("ann", SECRET + "x").decode() not in repr(server.log.lines)


class Broken:
    """Accounts whose database is gone."""

    async def authenticate(self, login: str, password: str) -> Account | None:
        raise RuntimeError(f"cannot check {password}")

    async def account(self, login: str) -> Account | None:
        return None

    async def members(self, address: str) -> frozenset[str]:
        return frozenset()


async def test_accounts_that_cannot_be_asked_are_a_fault_of_ours() -> None:
    async with serving(NOBODY_TRUSTED) as server:
        server.reception.accounts = Broken()
        client = await server.connect()
        assert (await client.ask(GOOD)).startswith(b"451 4.3.0 ")
        assert await client.codes(b"NOOP") == [250]
        assert SECRET not in repr(server.log.lines)


async def test_a_client_that_leaves_during_the_exchange_leaves_nothing_behind() -> None:
    async with serving(NOBODY_TRUSTED) as server:
        for lines in ([b"AUTH LOGIN"], [b"AUTH LOGIN", b64encode(b"ann")]):
            client = await server.connect()
            await client.codes(*lines)
            client.close()
        await _empty(server)


async def _empty(server: Server) -> None:
    await until(lambda: server.reception.connections == 0)


async def test_who_hangs_up_before_the_answer_has_guessed_all_the_same() -> None:
    async with serving(replace(NOBODY_TRUSTED, max_auth_failures_per_ip=3)) as server:
        slow = Slow()
        server.reception.accounts = slow
        for number in range(3):
            client = await server.connect()
            await client.send(b"AUTH PLAIN " + plain("ann", f"guess {number}") + b"\r\n")
            await until(lambda: slow.asked == number + 1)  # noqa: B023
            reset(client)
            await _empty(server)
        assert (await (await server.connect()).ask(GOOD)).startswith(b"421 4.7.0 ")
        assert slow.asked == 3


async def test_many_guesses_at_the_same_time_are_not_more_guesses() -> None:
    """Even the right one among those that were under way when the limit was reached is not let in."""
    clock = FakeClock()
    async with serving(replace(NOBODY_TRUSTED, max_auth_failures_per_ip=3), clock=clock) as server:
        slow = Slow()
        server.reception.accounts = slow
        clients = [await server.connect() for _ in range(5)]
        guesses = [plain("ann", f"guess {number}") for number in range(4)] + [plain("ann", SECRET)]
        answers = [
            asyncio.create_task(client.ask(b"AUTH PLAIN " + guess))
            for client, guess in zip(clients, guesses, strict=True)
        ]
        await until(lambda: slow.asked == 5)
        slow.gate.set()
        for answer in answers:
            await pass_time(clock, answer)
        assert [answer.result()[:3] for answer in answers] == [b"535"] * 4 + [b"421"]


async def test_commands_that_come_to_no_password_come_to_an_end_too() -> None:
    async with serving(NOBODY_TRUSTED) as server:
        client = await server.connect()
        codes = await client.codes(*[b"AUTH CRAM-MD5"] * 50)
        assert set(codes) == {504}
        await client.send(b"AUTH CRAM-MD5\r\n")
        assert b"421 4.7.0 " in await client.reader.read()


async def test_strangers_learn_no_names() -> None:
    async with serving(NOBODY_TRUSTED) as server:
        client = await server.connect()
        assert await client.codes(b"VRFY ann", b"VRFY nobody", b"EXPN all") == [530, 530, 530]
        assert await client.codes(GOOD, b"VRFY ann", b"VRFY nobody", b"EXPN all") == [235, 252, 252, 502]


class Slow:
    """Accounts that take their time: until `gate` is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked = 0

    async def authenticate(self, login: str, password: str) -> Account | None:
        self.asked += 1
        await self.gate.wait()
        return Account(login=login, addresses=()) if password == SECRET else None

    async def account(self, login: str) -> Account | None:
        return None

    async def members(self, address: str) -> frozenset[str]:
        return frozenset()


async def test_a_client_that_is_gone_before_the_exchange_begins_leaves_no_step_behind() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with serving(NOBODY_TRUSTED) as server:
            await server.connect()
            [session] = server.reception._sessions
            session.data_received(GOOD + b"\r\n")  # type: ignore[attr-defined]
            session.connection_lost(None)  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
            assert server.people.asked == []
        gc.collect()
    assert [str(one.message) for one in caught if "never awaited" in str(one.message)] == []

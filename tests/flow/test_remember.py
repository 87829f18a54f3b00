"""Memory: who takes part in a thread, learnt from mail that really left."""

from datetime import timedelta

from mailguard.edge.config import parse_rules
from tests.flow.parts import ANNE, MESSAGE, Parts

ANSWER = (
    b"From: anne@corp.example\r\n"
    b"To: client@customer.example, stranger@elsewhere.example\r\n"
    b"Message-ID: <two@corp.example>\r\n"
    b"In-Reply-To: <one@corp.example>\r\n"
    b"Subject: Re: Where we can save\r\n"
    b"\r\n"
    b"And here are the names.\r\n"
)


async def test_what_left_is_remembered_and_bcc_is_not(parts: Parts) -> None:
    await parts.submit("client@customer.example", "boss@corp.example")
    assert not (await parts.memory.thread(["one@corp.example"])).known
    await parts.tick(timedelta(minutes=6))
    thread = await parts.memory.thread(["one@corp.example"])
    assert thread.participants == {"anne@corp.example", "client@customer.example"}


async def test_what_was_cancelled_is_not(parts: Parts) -> None:
    message = await parts.id_of()
    await parts.decide.cancel(message, ANNE)
    await parts.tick(timedelta(minutes=6))
    assert not (await parts.memory.thread(["one@corp.example"])).known


async def test_an_answer_joins_the_thread_it_answers(parts: Parts) -> None:
    await parts.submit(content=MESSAGE)
    await parts.tick(timedelta(minutes=6))
    await parts.submit("client@customer.example", "stranger@elsewhere.example", content=ANSWER)
    await parts.tick(timedelta(minutes=20))
    thread = await parts.memory.thread(["two@corp.example"])
    assert "stranger@elsewhere.example" in thread.participants


async def test_a_stranger_in_the_thread_is_found_on_the_way_in(parts: Parts) -> None:
    parts.rules.current = parse_rules(
        'internal_domains = ["corp.example"]\n[checks]\nstranger_in_thread = { action = "confirm" }\n',
        "r.toml",
    )
    await parts.submit()
    await parts.tick(timedelta(minutes=6))
    message = await parts.id_of("client@customer.example", "stranger@elsewhere.example", content=ANSWER)
    held = await parts.store.find(message)
    assert ("stranger_in_thread", "stranger@elsewhere.example") in [
        (finding.check, finding.recipient) for finding in held.findings
    ]

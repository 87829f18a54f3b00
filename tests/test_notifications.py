"""A whole guard tells outside what happens, and is killed while it does."""

import asyncio
import json
import signal
import smtplib
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests import guard as guards
from tests.edge.outbound.receiver import SECRET, Receiver, answer, ids, receiving
from tests.guard import Guard

RULES = """
internal_domains = ["corp.example"]
margin = "0s"
notify = "never"

[[rule]]
name = "press"
when = { to = "@newspaper.example" }
action = "approve"
approvers = ["press@corp.example"]

[[rule]]
name = "external"
when = { to = "external" }
delay = "1h"
"""


@asynccontextmanager
async def told(directory: Path, receiver: Receiver, more: str = "") -> AsyncIterator[Guard]:
    """A guard that runs and tells the receiver."""
    guard = guards.configured(directory, {"kind": "maildir", "path": "outgoing"}, rules=RULES)
    with (directory / "mailguard.toml").open("a") as file:
        file.write(f'\n[[notify]]\nname = "ops"\nkind = "webhook"\nurl = "{receiver.url("/hunter2")}"\n')
        file.write(f'secret = "{SECRET}"\n{more}')
    await asyncio.to_thread(guard.start)
    try:
        yield guard
    finally:
        assert await asyncio.to_thread(guard.stop) == 0
        assert "hunter2" not in guard.log()


def send(guard: Guard, to: str, subject: str = "Results") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = guards.SENDER, to, subject
    mail.set_content("Not for everybody.")
    with smtplib.SMTP("127.0.0.1", guard.port) as client:
        client.send_message(mail)


async def ask(guard: Guard, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(guard.verb, *arguments)


async def test_an_approval_is_asked_for_and_given(tmp_path: Path) -> None:
    async with receiving() as receiver, told(tmp_path, receiver) as guard:
        await asyncio.to_thread(send, guard, "paper@newspaper.example")
        [asked] = await receiver.wait_for(1)
        about = asked.said["data"]["message"]
        assert asked.signed_with(SECRET)
        assert (asked.said["type"], about["rules"], about["state"]) == (
            "message.approval",
            ["press", "external"],
            "approval",
        )
        assert b"newspaper" not in asked.body
        assert b"Results" not in asked.body
        assert (await ask(guard, "approve", about["id"])).returncode == 0
        approved = (await receiver.wait_for(2))[1]
        assert (approved.said["type"], approved.said["data"]["by"]) == ("message.approved", "admin")
        assert ids(receiver.requests) == [f"{about['id']}-0", f"{about['id']}-1"]


async def test_a_guard_that_is_killed_tells_it_after_its_next_start(tmp_path: Path) -> None:
    async with receiving(answer(500), "hang") as receiver, told(tmp_path, receiver) as guard:
        await asyncio.to_thread(send, guard, "paper@newspaper.example")
        await receiver.wait_for(2)
        assert guard.process
        guard.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(guard.process.wait)
        await asyncio.to_thread(guard.start)
        first, second, third = await receiver.wait_for(3)
        assert len(set(ids([first, second, third]))) == 1
        assert first.body == second.body == third.body
        assert third.signed_with(SECRET)
        state = await _status_without_backlog(guard)
        assert state == {"name": "ops", "waiting": 0, "given_up": 0, "fault": ""}


async def _status_without_backlog(guard: Guard) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            [state] = json.loads((await ask(guard, "notify", "--json")).stdout)
            if not state["waiting"]:
                return dict(state)


async def test_what_is_decided_while_the_guard_is_stopped_is_told_when_it_runs(tmp_path: Path) -> None:
    async with receiving() as receiver, told(tmp_path, receiver) as guard:
        await asyncio.to_thread(send, guard, "client@customer.example")
        message = await asyncio.to_thread(guard.wait_for, lambda one: one["state"] == "held")
        assert await asyncio.to_thread(guard.stop) == 0
        assert (await ask(guard, "cancel", message["id"])).returncode == 0
        await asyncio.to_thread(guard.start)
        [cancelled] = await receiver.wait_for(1)
        assert (cancelled.said["type"], cancelled.said["data"]["by"]) == ("message.cancelled", "admin")


async def test_an_admin_can_try_it_and_sees_what_is_wrong(tmp_path: Path) -> None:
    chat = '[[notify]]\nname = "chat"\nkind = "apprise"\nurl = "json://127.0.0.1:{port}/chat"\n'
    async with (
        receiving() as receiver,
        told(tmp_path, receiver, chat.format(port=receiver.port)) as guard,
    ):
        tried = await ask(guard, "notify", "--test")
        assert (tried.returncode, tried.stdout) == (0, "ops: told\nchat: told\n")
        assert {one.line.split()[1] for one in receiver.requests} == {"/hunter2", "/chat"}
        receiver.script.append(answer(401))
        tried = await ask(guard, "notify", "ops", "--test")
        assert tried.returncode == 75
        assert tried.stderr == f"ops: http://127.0.0.1:{receiver.port} answered 401\n"
        shown = await ask(guard, "notify")
        assert shown.stdout == "ops: 0 waiting, 0 given up\nchat: 0 waiting, 0 given up\n"
        assert (await ask(guard, "notify", "nobody")).returncode == 2


async def test_rules_that_are_not_taken_are_told_without_their_words(tmp_path: Path) -> None:
    async with receiving() as receiver, told(tmp_path, receiver) as guard:
        (tmp_path / "rules.toml").write_text('internal_domains = ["corp.example"]\nmargin = "hunter2"\n')
        assert guard.process
        guard.process.send_signal(signal.SIGHUP)
        [news] = await receiver.wait_for(1)
        assert news.said["type"] == "guard.rules_not_taken"
        [place] = news.said["data"]["details"]
        assert place.endswith("rules.toml:2: margin")
        # The log tells it whole; here it stays in this file.
        (tmp_path / "log").write_text(guard.log().replace("hunter2", ""))

"""The outgoing server that is a folder."""

import asyncio
import mailbox
import os
from pathlib import Path

import pytest

from mailguard.core.delivery import Answer
from mailguard.core.hold import Claimed
from mailguard.edge.maildir_out import MaildirRelay
from tests.making import message, recipient

CONTENT = b"Received: x\r\nSubject: s\r\n\r\n.dot\r\n\xff no end"


def claimed(*addresses: str) -> Claimed:
    recipients = [recipient(address, in_flight=True) for address in addresses]
    return Claimed(message=message(*recipients, recipient("waits@x.example")), content=b"")


async def test_one_file_with_the_very_bytes_and_an_answer_for_each_recipient(tmp_path: Path) -> None:
    relay = MaildirRelay(tmp_path / "deep" / "outgoing")
    outcomes = await relay.attempt(claimed("a@x.example", "b@x.example"), CONTENT)
    assert [(o.address, o.answer) for o in outcomes] == [
        ("a@x.example", Answer.TAKEN),
        ("b@x.example", Answer.TAKEN),
    ]
    [file] = (tmp_path / "deep" / "outgoing" / "new").iterdir()
    assert file.read_bytes() == CONTENT
    assert file.stat().st_mode & 0o777 == 0o600
    assert outcomes[0].reply == f"250 2.0.0 Written to new/{file.name}"
    assert not list((tmp_path / "deep" / "outgoing" / "tmp").iterdir())
    await relay.close()


async def test_mail_programs_can_read_it(tmp_path: Path) -> None:
    relay = MaildirRelay(tmp_path / "outgoing")
    await asyncio.gather(*[relay.attempt(claimed("a@x.example"), CONTENT) for _ in range(20)])
    box = mailbox.Maildir(str(tmp_path / "outgoing"), create=False)
    assert len(box) == 20
    assert {mail["Subject"] for mail in box} == {"s"}


async def test_a_place_that_cannot_be_written_to_means_later(tmp_path: Path) -> None:
    (tmp_path / "outgoing").write_text("a file, no folder")
    [outcome] = await MaildirRelay(tmp_path / "outgoing").attempt(claimed("a@x.example"), CONTENT)
    assert outcome.answer is Answer.LATER
    assert outcome.reply.startswith("4.3.0 Cannot write to")


async def test_a_write_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = MaildirRelay(tmp_path)
    await relay.attempt(claimed("a@x.example"), CONTENT)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        # The one fault of a disk that a test cannot make without being root.
        patch.setattr(os, "fsync", full)
        [outcome] = await relay.attempt(claimed("a@x.example"), CONTENT)
    assert (outcome.answer, outcome.reply) == (
        Answer.LATER,
        f"4.3.0 Cannot write to {tmp_path}: No space left on device",
    )
    assert [len(list((tmp_path / part).iterdir())) for part in ("tmp", "new")] == [0, 1]

"""A session is opened with what its server really said, and with nothing that others put in between."""

from pathlib import Path

import trustme

from mailguard.core.delivery import Answer
from tests.edge.smtp_out.upstream import CONTENT, OFFERS, Upstream, claimed, relaying, words
from tests.upstream.certificates import Certificates


async def test_words_put_behind_the_answer_to_starttls_end_the_session(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path, trustme.CA())
    upstream = Upstream(
        context=certificates.server(), offers=(*OFFERS, "STARTTLS"), after_starttls=b"250 evil.test\r\n"
    )
    async with relaying(upstream, tls="starttls", ca_file=certificates.file) as relay:
        [outcome] = await relay.attempt(claimed(), CONTENT)
    assert outcome.answer is Answer.LATER
    assert "somebody may be in between" in outcome.reply
    assert upstream.verbs() == ["EHLO", "STARTTLS"]


async def test_a_busy_server_is_not_taken_for_an_old_one() -> None:
    """With HELO it could not take 8-bit mail, and the message would go back to its sender."""
    upstream = Upstream(script={"EHLO": ["451 4.3.0 busy"]})
    async with relaying(upstream) as relay:
        assert words(await relay.attempt(claimed(), CONTENT + b"\xc3\xa9\r\n")) == ["later"]
        assert words(await relay.attempt(claimed(), CONTENT + b"\xc3\xa9\r\n")) == ["taken"]
    assert "HELO" not in upstream.verbs()

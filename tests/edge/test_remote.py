"""Where a password and a token are sent to."""

from pathlib import Path

import pytest

from mailguard.edge import remote
from mailguard.edge.remote import Remote, Unsafe, checked


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("guard.corp.example", "https://guard.corp.example"),
        ("https://guard.corp.example:8443/queue?x", "https://guard.corp.example:8443"),
        ("https://user:secret@guard.corp.example", "https://guard.corp.example"),
        ("http://127.0.0.1:8025/", "http://127.0.0.1:8025"),
        ("http://[::1]:8025", "http://[::1]:8025"),
        ("http://localhost:8025", "http://localhost:8025"),
    ],
)
def test_by_tls_or_to_this_machine(url: str, base: str) -> None:
    assert checked(url) == base


@pytest.mark.parametrize(
    "url", ["http://guard.corp.example", "http://localhost.evil.example", "ftp://x", "https://", ""]
)
def test_nowhere_else(url: str) -> None:
    with pytest.raises(Unsafe):
        checked(url)


def test_what_is_kept_is_its_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert remote.known() is None
    kept = Remote(url="https://guard.corp.example", login="ann", name="laptop", token="mgt_canary")
    remote._keep(kept)
    assert remote.known() == kept
    assert (remote.place().stat().st_mode & 0o777, remote.place().parent.stat().st_mode & 0o777) == (
        0o600,
        0o700,
    )
    assert "canary" not in repr(kept)
    remote.place().write_text("{")
    assert remote.known() is None
    remote.forget()
    remote.forget()

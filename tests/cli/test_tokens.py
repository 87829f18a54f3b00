"""`mailguard tokens`, on a stopped guard's store; tests/edge/web/test_tokens.py uses what it makes."""

from pathlib import Path

from tests import guard as guards

UPSTREAM: dict[str, str | int] = {"kind": "maildir", "path": "outgoing"}


def test_one_is_made_listed_and_revoked(tmp_path: Path) -> None:
    guard = guards.configured(tmp_path, UPSTREAM)
    assert "There is no token." in guard.verb("tokens", "list").stdout
    made = guard.verb("tokens", "new", "laptop", "--login", "alice", "--scope", "read").stdout.strip()
    assert made.startswith("mgt_")
    assert guard.verb("tokens", "new", "laptop", "--login", "alice").returncode == 2
    assert guard.verb("tokens", "new", "x", "--login", "nobody").returncode == 2
    assert guard.verb("tokens", "new", "prometheus", "--forever").returncode == 0
    told = guard.verb("tokens", "list").stdout
    assert made not in told
    assert "(this machine)" in told
    for word in ("alice", "laptop", "read", "never"):
        assert word in told
    assert [one["name"] for one in guard.ask("tokens", "list", "--login", "alice")] == ["laptop"]
    assert guard.verb("tokens", "revoke", "laptop", "--login", "alice").returncode == 0
    assert guard.ask("tokens", "list", "--login", "alice") == []

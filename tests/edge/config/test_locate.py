import subprocess
import sys
from pathlib import Path

import pytest

from mailguard.core.errors import ConfigurationError
from mailguard.edge.config import locate


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The directory that holds the home and the working directory of this test."""
    return tmp_path


def written(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_order_is_named_environment_here_home(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate.find() is None
    home = written(elsewhere / "home/.config/mailguard/mailguard.toml")
    assert locate.find() == home
    here = written(elsewhere / "here/mailguard.toml")
    assert locate.find() == here
    environment = written(elsewhere / "environment.toml")
    monkeypatch.setenv("MAILGUARD_CONFIG", str(environment))
    assert locate.find() == environment
    named = written(elsewhere / "here/named.toml")
    assert locate.find(Path("named.toml")) == named


def test_what_is_named_must_be_there(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"no.toml: there is no such file"):
        locate.find("no.toml")
    monkeypatch.setenv("MAILGUARD_CONFIG", "gone.toml")
    with pytest.raises(ConfigurationError, match=r"MAILGUARD_CONFIG: there is no file gone.toml"):
        locate.find()


def test_the_state_is_beside_the_file_unless_told(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate.state_dir(None) == elsewhere / "here/var"
    config = written(elsewhere / "etc/mailguard.toml")
    assert locate.state_dir(config) == elsewhere / "etc/var"
    written(config, 'state_dir = "state"')
    assert locate.state_dir(config) == elsewhere / "etc/state"
    written(config, 'state_dir = "/srv/guard"')
    assert locate.state_dir(config) == Path("/srv/guard")
    monkeypatch.setenv("MAILGUARD_STATE_DIR", "other")
    assert locate.state_dir(config) == elsewhere / "here/other"


def test_a_state_dir_that_is_no_path_is_told(elsewhere: Path) -> None:
    config = written(elsewhere / "mailguard.toml", "\nstate_dir = 5")
    with pytest.raises(ConfigurationError, match=r"mailguard.toml:2: state_dir: is no text"):
        locate.state_dir(config)


def test_a_user_without_a_home_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(path: Path) -> Path:
        raise RuntimeError(path)

    monkeypatch.setattr(Path, "expanduser", homeless)
    assert len(locate.candidates()) == 2


def test_it_needs_no_library() -> None:
    """The command line asks this first, and must not wait for pydantic."""
    code = (
        "import sys; from mailguard.edge.config import locate; locate.state_dir(locate.find());"
        "print([name for name in ('pydantic', 'pydantic_settings', 'asyncio', 're2') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"

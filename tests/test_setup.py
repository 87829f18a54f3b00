"""The set-up on a fresh machine, by the Makefile, from nothing but the project's files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.guard import environment
from tests.programs import require

ROOT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project's files as git would hand them out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if told.returncode:
        pytest.skip("not a git checkout: what belongs to the project cannot be told")
    for name in told.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            target = tmp_path / "checkout" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    return tmp_path / "checkout"


def make(checkout: Path, *arguments: str) -> str:
    # Nothing of the environment that the tests themselves run in.
    env = {key: value for key, value in environment().items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    command = [require("make"), "-C", str(checkout), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_install_makes_a_program_that_runs_and_does_nothing_twice(checkout: Path) -> None:
    make(checkout, "install")
    program = checkout / ".venv" / "bin" / "mailguard"
    told = subprocess.run([str(program), "--help"], capture_output=True, text=True, check=True, cwd=checkout)
    assert "serve" in told.stdout
    stamp = (checkout / ".venv" / ".stamp").stat().st_mtime_ns
    make(checkout, "install")
    assert (checkout / ".venv" / ".stamp").stat().st_mtime_ns == stamp

    # An environment from a Python that is gone is made anew.
    (checkout / ".venv" / "bin" / "python").unlink()
    (checkout / "uv.lock").touch()
    make(checkout, "install")
    subprocess.run([str(program), "--help"], capture_output=True, check=True, cwd=checkout)

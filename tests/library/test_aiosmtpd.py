"""aiosmtpd's own tests on the guard's session: what goes otherwise is known, each with its reason."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# Some tests stop the loop under an open connection and wait for what never comes.
PATIENCE = "10"


def differences() -> dict[str, str]:
    """The reason for each test that goes otherwise."""
    found = tomllib.loads((HERE / "differences.toml").read_text(encoding="utf-8"))
    return {test: each["why"] for each in found["difference"] for test in each["tests"]}


def test_every_difference_has_one_reason() -> None:
    found = tomllib.loads((HERE / "differences.toml").read_text(encoding="utf-8"))["difference"]
    tests = [test for each in found for test in each["tests"]]
    assert len(tests) == len(set(tests)) > 100
    assert all(each["why"].endswith(".") for each in found)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_librarys_own_tests(tmp_path: Path) -> None:
    outcomes = tmp_path / "outcomes.json"
    # Nothing of this project's configuration: its warnings are errors, and that suite has many.
    options = ["-c", os.devnull, f"--rootdir={tmp_path}", "-p", "no:asyncio", "-p", "no:cacheprovider"]
    how = ["-p", "tests.library.plugin", "-n", "0", "-q", "--tb=short", "--timeout", PATIENCE]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "pytest", *options, *how, "--pyargs", "aiosmtpd.tests"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "MAILGUARD_OUTCOMES": str(outcomes),
            "PYTEST_ADDOPTS": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcomes.exists(), done.stdout + done.stderr
    told = json.loads(outcomes.read_text())
    alike = len(told["run"]) - len(told["otherwise"])
    print(f"{len(told['run'])} tests, {alike} alike, {told['sessions']} sessions")
    assert len(told["run"]) == 557
    assert told["sessions"] > 500
    new = set(told["otherwise"]) - set(differences())
    assert not new, f"without a reason: {sorted(new)}\n{done.stdout[-20_000:]}"
    assert set(differences()) == set(told["otherwise"])

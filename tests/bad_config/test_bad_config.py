"""Broken configurations, each with the exact text that a person sees: they fail as expected, not by chance.

`mailguard-NAME.toml` stands for a mailguard.toml, `rules-NAME.toml` for a rules.toml beside a good one.
"""

import os
import shutil
from pathlib import Path

import pytest

from mailguard.edge.config import check_config

HERE = Path(__file__).parent
BROKEN = sorted(HERE.glob("*.toml"))


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the environment goes before the files."""
    for name in os.environ:
        if name.startswith("MAILGUARD_"):
            monkeypatch.delenv(name)


def told(broken: Path, directory: Path) -> str:
    """What check-config says of this file, with the directory left out."""
    (directory / "mailguard.toml").write_text('hostname = "guard.corp.example"\n')
    shutil.copyfile(broken, directory / f"{broken.stem.partition('-')[0]}.toml")
    faults = check_config(directory / "mailguard.toml")
    return "".join(f"{fault}\n" for fault in faults).replace(f"{directory}/", "")


@pytest.mark.parametrize("broken", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_says_what_is_wrong(broken: Path, tmp_path: Path) -> None:
    expected = broken.with_suffix(".expected").read_text(encoding="utf-8")
    assert told(broken, tmp_path) == expected
    assert "hunter2" not in expected


def test_every_expectation_has_its_file() -> None:
    assert {path.stem for path in HERE.glob("*.expected")} == {path.stem for path in BROKEN}
    assert len(BROKEN) >= 12


def test_a_good_configuration_has_no_faults(tmp_path: Path) -> None:
    good = HERE.parent.parent / "config"
    for name in ("mailguard.toml", "rules.toml"):
        shutil.copyfile(good / name, tmp_path / name)
    assert check_config(tmp_path / "mailguard.toml") == ()

"""What is shipped for running the guard: it is as tight as its page says, and agrees with itself."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mailguard.edge.counting import CountingLog
from mailguard.edge.web.metrics import Snapshot, text_of
from tests.edge.store.samples import RecordingLog
from tests.programs import require

ROOT = Path(__file__).parent.parent
UNIT = ROOT / "deploy" / "systemd" / "mailguard.service"
CONTAINER = ROOT / "deploy" / "container"


def test_the_unit_is_shut_tight() -> None:
    program = require("systemd-analyze", package="systemd")
    command = [program, "security", "--offline=true", "--no-pager", str(UNIT)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"exposure level for mailguard\.service: (\d+\.\d+)", told)
    assert found, told
    assert float(found[1]) < 2.0
    assert f"says {found[1]} " in (ROOT / "deploy" / "README.md").read_text()


def test_the_unit_is_understood() -> None:
    program = require("systemd-analyze", package="systemd")
    told = subprocess.run([program, "verify", str(UNIT)], capture_output=True, text=True, check=False).stderr
    # Only that the program is not installed there may be found wrong.
    assert [
        line for line in told.splitlines() if "mailguard.service" in line and "not executable" not in line
    ] == []


@pytest.mark.parametrize(
    "line", ["Type=notify", "RestartPreventExitStatus=2", "ExecReload=/bin/kill -HUP $MAINPID"]
)
def test_the_unit_fits_what_the_guard_does(line: str) -> None:
    assert line in UNIT.read_text().splitlines()


def test_the_container_has_no_powers() -> None:
    lines = [line.strip() for line in (CONTAINER / "compose.yaml").read_text().splitlines()]
    assert {"read_only: true", "cap_drop: [ALL]", "- no-new-privileges:true"} <= set(lines)
    recipe = (CONTAINER / "Containerfile").read_text()
    assert recipe.index("\nUSER mailguard\n") < recipe.index("\nENTRYPOINT")


def test_one_version_of_the_installer_everywhere() -> None:
    [made] = re.findall(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"uv=={made}\n" in (CONTAINER / "Containerfile").read_text()


def _known_metrics() -> set[str]:
    """Every name that a scrape has."""
    status = {
        "messages": {"held": 1},
        "overdue": 0,
        "oldest_overdue": None,
        "rules": [],
        "reload_errors": [],
        "troubles": [],
    }
    log = CountingLog(RecordingLog())
    log.event("received", findings=["first_contact"])
    log.trouble("store_error")
    text = text_of(Snapshot(status, log, datetime.now(UTC), 0.001)).decode()
    families = text_string_to_metric_families(text)
    return {sample.name for family in families for sample in family.samples} | {"up"}


@pytest.mark.parametrize("file", ["prometheus/mailguard.rules.yml", "grafana/mailguard.json"])
def test_what_is_watched_is_told(file: str) -> None:
    text = (ROOT / "deploy" / file).read_text()
    if file.endswith(".json"):
        text = " ".join(t["expr"] for panel in json.loads(text)["panels"] for t in panel["targets"])
    named = set(re.findall(r"\bmailguard_[a-z_]+", text))
    assert len(named) >= 6
    assert named - _known_metrics() == set()

"""The lock of the state directory: one guard, and a clear word to the second."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailguard.core.errors import StoreError, StoreLocked
from mailguard.edge.store import lock as lock_module
from mailguard.edge.store.lock import LOCK_FILE, StateLock

HOLD = """
import sys, time
from pathlib import Path
from mailguard.edge.store.lock import StateLock
lock = StateLock.take(Path(sys.argv[1]))
print("taken", flush=True)
time.sleep(60)
"""


def test_the_directory_is_made_and_is_private(tmp_path: Path) -> None:
    state_dir = tmp_path / "deep" / "var"
    with StateLock.take(state_dir):
        assert state_dir.stat().st_mode & 0o777 == 0o700
        assert (state_dir / LOCK_FILE).stat().st_mode & 0o777 == 0o600


def test_a_second_one_is_told_who_has_it(tmp_path: Path) -> None:
    lock = StateLock.take(tmp_path)
    with pytest.raises(StoreLocked, match=rf"process {os.getpid()}\b.*{tmp_path}"):
        StateLock.take(tmp_path)
    lock.release()
    lock.release()
    StateLock.take(tmp_path).release()


def test_another_process_is_told_and_its_death_frees_the_lock(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"taken\n"
        with pytest.raises(StoreLocked, match=rf"process {holder.pid}\b"):
            StateLock.take(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    StateLock.take(tmp_path).release()


def test_what_is_no_directory_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for path in (file, file / "below"):
        with pytest.raises(StoreError, match="state_dir"):
            StateLock.take(path)


LEAVE_A_CHILD = """
import os, sys, time
from pathlib import Path
from mailguard.edge.store.lock import StateLock
lock = StateLock.take(Path(sys.argv[1]))
if os.fork() == 0:
    time.sleep(float(sys.argv[2]))
    os._exit(0)
os._exit(0)
"""


@pytest.mark.parametrize("seconds", ["0", "0.5"])
def test_what_outlives_its_guard_for_a_moment_is_waited_for(tmp_path: Path, seconds: str) -> None:
    """A process of its own that has the lock, too: nobody else may begin before it has ended."""
    subprocess.run([sys.executable, "-c", LEAVE_A_CHILD, str(tmp_path), seconds], check=True)
    begun = time.monotonic()
    with StateLock.take(tmp_path):
        assert time.monotonic() - begun >= float(seconds) - 0.2


def test_what_goes_on_without_its_guard_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "LAST_BREATH", 0.3)
    subprocess.run([sys.executable, "-c", LEAVE_A_CHILD, str(tmp_path), "3"], check=True)
    with pytest.raises(StoreLocked, match="another mailguard"):
        StateLock.take(tmp_path)

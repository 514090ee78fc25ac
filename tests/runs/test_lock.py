from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from napari_superres.errors import OutputError, RunFolderError
from napari_superres.runs import lock
from napari_superres.runs.lock import NAME, run_lock


def test_a_held_folder_is_refused_and_free_afterwards(tmp_path: Path) -> None:
    with (
        run_lock(tmp_path),
        pytest.raises(RunFolderError, match=f"process {os.getpid()}"),
        run_lock(tmp_path),
    ):
        pass
    with run_lock(tmp_path):
        assert (tmp_path / NAME).exists()
    assert list(tmp_path.iterdir()) == []


def test_another_process_is_refused(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from napari_superres.runs.lock import run_lock\n"
        "with run_lock(Path(sys.argv[1])): pass"
    )
    with run_lock(tmp_path):
        refused = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True)
    assert b"in use by process" in refused.stderr
    assert subprocess.run([sys.executable, "-c", code, tmp_path]).returncode == 0


def test_a_damaged_lock_with_a_number_of_no_process_is_taken_over(tmp_path: Path) -> None:
    owner = {"host": socket.gethostname(), "pid": float("inf"), "began": 0.0}
    (tmp_path / NAME).write_text(json.dumps(owner))
    with run_lock(tmp_path):
        assert json.loads((tmp_path / NAME).read_text())["pid"] == os.getpid()


@pytest.mark.parametrize("began", [0.0, None])
def test_the_lock_of_a_process_that_is_gone_is_taken_over(
    tmp_path: Path, began: float | None
) -> None:
    """Its number may be in use again: then the time that it began differs."""
    pid = os.getpid() if began is not None else _gone()
    owner = {"host": socket.gethostname(), "pid": pid, "began": began or 0.0}
    (tmp_path / NAME).write_text(json.dumps(owner))
    with run_lock(tmp_path):
        assert json.loads((tmp_path / NAME).read_text())["began"] > 0


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere the system notes the time of the clock")
def test_a_clock_that_is_set_frees_no_lock(tmp_path: Path, monkeypatch) -> None:
    created, booted = psutil.Process.create_time, psutil.boot_time
    with run_lock(tmp_path):
        monkeypatch.setattr(psutil.Process, "create_time", lambda self: created(self) + 3600)
        monkeypatch.setattr(psutil, "boot_time", lambda: booted() + 3600)
        with pytest.raises(RunFolderError, match="in use"), run_lock(tmp_path):
            pass


def test_a_lock_of_another_computer_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(json.dumps({"host": "elsewhere", "pid": 1, "began": 0.0}))
    with pytest.raises(RunFolderError, match=r"elsewhere.*delete"), run_lock(tmp_path):
        pass
    assert (tmp_path / NAME).exists()


def no_links(*_names: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_without_hard_links_one_process_at_a_time_holds_a_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    with run_lock(tmp_path), pytest.raises(RunFolderError, match="in use"), run_lock(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_full_disk_cut_short_holds_nothing(tmp_path: Path, monkeypatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    def opened(file: Path, mode: str, **more: str) -> io.StringIO:
        open(file, mode, **more).close()
        return Full()

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(lock, "open", opened, raising=False)
    with pytest.raises(OutputError, match="No space left"), run_lock(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def _gone() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("job", "attempt", "free"), [("17", "1", True), ("17", "0", False), ("18", "1", False)]
)
def test_a_job_put_back_into_the_queue_takes_over_its_own_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: str, attempt: str, free: bool
) -> None:
    left = {"host": "elsewhere", "pid": 1, "began": 0.0, "job": "17", "attempt": "0"}
    (tmp_path / NAME).write_text(json.dumps(left))
    monkeypatch.setenv("SLURM_JOB_ID", job)
    monkeypatch.setenv("SLURM_RESTART_COUNT", attempt)
    if free:
        with run_lock(tmp_path):
            assert json.loads((tmp_path / NAME).read_text())["job"] == "17"
    else:
        with pytest.raises(RunFolderError, match="elsewhere"), run_lock(tmp_path):
            pass

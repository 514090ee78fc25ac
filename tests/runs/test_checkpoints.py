"""Checkpoints through kills between two system calls, and what is kept of them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
import torch

from napari_superres.errors import OutOfMemoryError, OutputError, RunFolderError
from napari_superres.runs import checkpoint_files
from napari_superres.runs.checkpoints import (
    choose_checkpoint,
    drop_after,
    list_checkpoints,
    list_left,
    load_tensors,
    loading,
    save_checkpoint,
)
from napari_superres.runs.run import Run


class Killed(BaseException):
    """What no code recovers from, as after SIGKILL."""


def save(folder: Path, step: int, weight: float = 0.0, score: float | None = None) -> Path:
    tensors = {"w": torch.tensor([weight])}
    return save_checkpoint(folder, tensors, tensors, {"step": step, "score": score})


def steps(folder: Path) -> list[int]:
    return [info.step for info in list_checkpoints(folder)]


def kill_at_rename_to(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if Path(target).name == name:
            raise Killed
        return whole(path, target)

    monkeypatch.setattr(Path, "rename", rename)


def test_a_kill_while_a_checkpoint_is_replaced_loses_neither(tmp_path: Path, monkeypatch) -> None:
    save(tmp_path, 5, weight=1.0)
    with monkeypatch.context() as patched:
        kill_at_rename_to("step-0000005", patched)
        with pytest.raises(Killed):
            save(tmp_path, 5, weight=2.0)
    (info,) = list_checkpoints(tmp_path)
    assert load_tensors(info.folder, "generator")["w"].item() == 1.0
    save(tmp_path, 5, weight=2.0)
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000005"]


def test_a_refused_rename_leaves_the_earlier_checkpoint(tmp_path: Path, monkeypatch) -> None:
    save(tmp_path, 5, weight=1.0)

    def refuse(path: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refuse)
        with pytest.raises(OutputError, match="step 5"):
            save(tmp_path, 5, weight=2.0)
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000005"]


def test_a_kill_in_the_middle_of_deleting_leaves_no_half_checkpoint(
    tmp_path: Path, monkeypatch
) -> None:
    save(tmp_path, 5)
    save(tmp_path, 9)

    def delete_one_file(folder: Path, **_more: object) -> None:
        (folder / "generator.safetensors").unlink(missing_ok=True)
        if folder.exists():
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", delete_one_file)
        with pytest.raises(Killed):
            drop_after(tmp_path, 5)
    assert steps(tmp_path) == [5]


def test_the_next_checkpoint_clears_what_kills_have_left(tmp_path: Path) -> None:
    for name in (".step-0000003.part", ".step-0000004.gone"):
        (tmp_path / name).mkdir()
    save(tmp_path, 5)
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000005"]


def test_a_chosen_checkpoint_stays_chosen_when_its_step_is_saved_again(tmp_path: Path) -> None:
    choose_checkpoint(save(tmp_path, 1))
    for step in (1, 2, 3, 4, 5):
        save(tmp_path, step)
    assert steps(tmp_path) == [1, 3, 4, 5]


def test_a_roll_back_keeps_a_chosen_checkpoint_but_the_run_does_not_go_on_from_it(
    tmp_path: Path,
) -> None:
    for step in (1, 2, 3):
        save(tmp_path, step, weight=float(step))
    choose_checkpoint(tmp_path / "step-0000003")
    drop_after(tmp_path, 1)
    assert steps(tmp_path) == [1]
    (left,) = list_left(tmp_path)
    assert left.name == "3-left"
    assert load_tensors(left.folder, "generator")["w"].item() == 3.0


def test_what_is_trained_after_a_roll_back_replaces_no_chosen_checkpoint(tmp_path: Path) -> None:
    save(tmp_path, 1)
    for weight in (2.0, 3.0):
        choose_checkpoint(save(tmp_path, 2, weight))
        drop_after(tmp_path, 1)
    for step in range(2, 7):
        save(tmp_path, step, weight=4.0)
    kept = {info.name: load_tensors(info.folder, "generator")["w"] for info in list_left(tmp_path)}
    assert kept == {"2-left": 2.0, "2-left2": 3.0}
    assert steps(tmp_path) == [4, 5, 6]


def test_a_checkpoint_left_by_a_roll_back_is_found_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    save(folder, 1)
    choose_checkpoint(save(folder, 2, score=0.0))
    drop_after(folder, 1)
    run = Run(tmp_path, None, None)
    assert [run.find_checkpoint(name).step for name in ("best", "last", "2-left")] == [1, 1, 2]
    with pytest.raises(RunFolderError, match="the steps 1, 2-left"):
        run.find_checkpoint("2")


def test_a_copy_that_the_user_made_is_neither_listed_nor_deleted(tmp_path: Path) -> None:
    shutil.copytree(save(tmp_path, 1), tmp_path / "step-0000001 (copy)")
    for step in (2, 3, 4):
        save(tmp_path, step)
    assert steps(tmp_path) == [2, 3, 4]
    assert (tmp_path / "step-0000001 (copy)").is_dir()


def test_a_score_that_is_no_number_is_never_the_best(tmp_path: Path) -> None:
    for step, score in ((1, float("nan")), (2, 3.0), (3, 4.0)):
        save(tmp_path, step, score=score)
    assert [info.is_best for info in list_checkpoints(tmp_path)] == [False, True, False]


def test_a_score_that_is_no_float_is_no_checkpoint_and_no_measurement(tmp_path: Path) -> None:
    save(tmp_path / "checkpoints", 1, score=1.0)
    save(tmp_path / "checkpoints", 2, score=10**400)
    run = Run(tmp_path, None, None)
    assert run.find_checkpoint("last").step == 1
    for step, score in ((1, 1.0), (2, 10**400)):
        run.append_line({"step": step, "score": score})
    assert [line["step"] for line in run.measurements()] == [1]


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system as POSIX does")
def test_files_are_synced_in_a_way_that_windows_accepts_too(tmp_path: Path, monkeypatch) -> None:
    import fcntl
    import stat

    writable = []

    def sync(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            writable.append(fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR)

    monkeypatch.setattr(os, "fsync", sync)
    save(tmp_path, 1)
    assert writable == [True] * 3


def test_a_checkpoint_for_which_there_is_no_memory_is_not_called_damaged(
    tmp_path: Path, monkeypatch
) -> None:
    def full(*_asked: object, **_more: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    folder = save(tmp_path, 1)
    monkeypatch.setattr(checkpoint_files, "load_file", full)
    with pytest.raises(OutOfMemoryError, match="no memory to"):
        load_tensors(folder, "generator")
    with pytest.raises(RuntimeError, match="out of memory"), loading(tmp_path):
        raise RuntimeError("CUDA out of memory")
    with pytest.raises(RunFolderError, match="does not fit"), loading(tmp_path):
        raise RuntimeError("size mismatch")

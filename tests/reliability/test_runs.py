"""Runs on disks that are full or cannot be written, under clocks that go wrong, and damaged."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from napari_superres.config import Budget
from napari_superres.errors import OutputError, RunFolderError
from napari_superres.events import StepCompleted, TrainingFinished
from napari_superres.fusion.networks.trained import load_generator
from napari_superres.fusion.training import resume, train
from napari_superres.runs import checkpoint_files, checkpoints
from napari_superres.runs.config import FUSION
from napari_superres.runs.run import Run
from tests.fusion.materials import tiny_pair, tiny_settings


def train_tiny(run: Path, steps: int) -> Run:
    list(train(tiny_pair(), tiny_settings(), run, Budget(steps=steps)))
    return Run.open(run, FUSION)


def flip_a_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)


def test_one_flipped_bit_in_the_weights_is_noticed(tmp_path: Path) -> None:
    run = train_tiny(tmp_path / "run", 2)
    flip_a_bit(run.find_checkpoint("last").folder / "generator.safetensors")
    with pytest.raises(RunFolderError, match="has changed since it was written"):
        load_generator(run, "last")


def test_another_image_in_place_of_a_kept_input_is_noticed(tmp_path: Path) -> None:
    run = train_tiny(tmp_path / "run", 1)
    inputs = run.path / "inputs"
    (inputs / "low_res.tif").write_bytes((inputs / "high_res-0-0000.tif").read_bytes())
    with pytest.raises(RunFolderError, match="has changed since the run was made"):
        run.low_res()


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    run = train_tiny(tmp_path / "run", 2)
    checkpoints.save_checkpoint(
        run.path / "checkpoints", {}, {"random": load_some_tensor()}, {"step": 3, "score": None}
    )
    with pytest.raises(RunFolderError, match="does not fit the run"):
        list(resume(run.path, Budget(steps=4)))


def load_some_tensor() -> object:
    import torch

    return torch.zeros(3)


def test_a_disk_that_fills_up_ends_with_what_was_saved(tmp_path: Path, monkeypatch) -> None:
    run = train_tiny(tmp_path / "run", 2)

    def full(tensors: object, file: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint_files, "save_file", full)
        with pytest.raises(OutputError, match="No space left on device"):
            list(resume(run.path, Budget(steps=4)))
    assert [info.step for info in run.checkpoints()] == [2]
    assert sorted(path.name for path in (run.path / "checkpoints").iterdir()) == ["step-0000002"]
    *_, last = resume(run.path, Budget(steps=4))
    assert isinstance(last, TrainingFinished)


def test_a_disk_that_fills_up_at_a_measurement_is_one_clear_error(
    tmp_path: Path, monkeypatch
) -> None:
    run = train_tiny(tmp_path / "run", 1)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        run.append_line({"step": 1})


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users here")
def test_a_run_in_a_place_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch) -> None:
    def refuse(path: Path, *args: object, **more: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)  # root may write anywhere
    with pytest.raises(OutputError, match="Permission denied"):
        list(train(tiny_pair(), tiny_settings(), tmp_path / "run", Budget(steps=1)))


def test_a_clock_that_is_set_back_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    now = iter(range(2_000_000_000, 0, -86_400))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    events = list(train(tiny_pair(), tiny_settings(), tmp_path / "run", Budget(steps=4)))
    steps = [event for event in events if isinstance(event, StepCompleted)]
    assert events[-1].step == 4
    assert all(event.elapsed_s >= 0 for event in steps)


def test_checkpoints_that_cannot_be_read_are_not_trained_over(tmp_path: Path, cli_status) -> None:
    run = train_tiny(tmp_path / "run", 2)
    for info in run.checkpoints():
        (info.folder / "state.json").write_text('{"step": "../../.."}')
    status, printed = cli_status("resume", str(run.path), "--steps", "4")
    assert status == 2
    assert "No checkpoint" in printed


@pytest.fixture
def cli_status(capsys: pytest.CaptureFixture[str]):
    from napari_superres.cli import main

    def call(*arguments: str) -> tuple[int, str]:
        return main(arguments), capsys.readouterr().err

    return call

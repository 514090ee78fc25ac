from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from napari_superres.config import PRESETS, Preset
from napari_superres.errors import EngineError, OutOfMemoryError
from napari_superres.training.failures import Task, engine_errors, out_of_memory


def failing(task: Task, message: str) -> None:
    with engine_errors("cuda", task=task):
        raise RuntimeError(message)


def test_a_failed_training_can_be_resumed() -> None:
    with pytest.raises(EngineError, match=r"Training failed on cuda: illegal access\. .*resume it"):
        failing("Training", "illegal access")


@pytest.mark.parametrize("task", ["Sampling", "Translation"])
def test_what_only_applies_a_run_does_not_speak_of_training(task: Task) -> None:
    with pytest.raises(EngineError, match=f"{task} failed on cuda") as failed:
        failing(task, "illegal access")
    with pytest.raises(OutOfMemoryError, match=f"no room for {task.lower()}") as full:
        failing(task, "CUDNN_STATUS_ALLOC_FAILED")
    for word in ("rain", "resume", "batch"):
        assert word not in f"{failed.value} {full.value}"


def test_what_eases_memory_is_offered_from_the_cheapest_on_until_there_is_nothing_left() -> None:
    engine, offered = PRESETS[Preset.STANDARD], []
    while change := engine.less_memory():
        engine = engine.replace(**change)
        offered += change.items()
    assert offered == [
        *(("batch", batch) for batch in (4, 2, 1)),
        *(("crop", crop) for crop in (48, 32)),
        ("slices_per_axis", 8),
    ]
    last = out_of_memory("cuda:0", engine.less_memory(), Path("run"))
    assert "another device" in last.action
    assert last.changes == {}


@pytest.mark.skipif(os.name == "nt", reason="quotes of a POSIX shell")
def test_the_command_that_goes_on_holds_for_a_folder_with_a_space() -> None:
    error = out_of_memory("cpu", PRESETS[Preset.QUICK].less_memory(), Path("/my runs/one"))
    command = shlex.split(error.action.partition("go on with: ")[2])
    assert command == ["napari-superres", "resume", "/my runs/one", "--set", "batch=1"]


def test_without_a_saved_run_the_advice_is_to_train_with_less() -> None:
    error = out_of_memory("cpu", PRESETS[Preset.QUICK].less_memory(), None)
    assert error.action == "Train with --set batch=1."
    assert error.changes == {}

from __future__ import annotations

import pytest

from napari_superres.errors import EngineError, OutOfMemoryError
from napari_superres.fusion.failures import Task, engine_errors


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

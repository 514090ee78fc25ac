"""Runs that are interrupted: missing memory, a second process, a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from napari_superres.config import Budget, GenerationSettings
from napari_superres.errors import (
    OutOfMemoryError,
    RunFolderError,
    SettingsError,
)
from napari_superres.events import (
    CheckpointSaved,
    FinishReason,
    GenerationFinished,
    MetricsMeasured,
    StepProgress,
    TrainingFinished,
)
from napari_superres.fusion.evaluation import Evaluator
from napari_superres.fusion.training import resume, train
from napari_superres.generation.render import generate
from napari_superres.runs.config import FUSION
from napari_superres.runs.run import Run
from napari_superres.training import loop
from tests.fusion.materials import TINY, tiny_pair, tiny_settings
from tests.training.spoiling import spoil, train_tiny

ROOT = Path(__file__).resolve().parents[2]
KILLED = """
import sys
from pathlib import Path
import torch
from napari_superres.config import Budget
from napari_superres.fusion.training import train
from tests.fusion.materials import TINY, tiny_pair, tiny_settings
torch.set_num_threads(1)
settings = tiny_settings(engine=TINY.replace(checkpoint_seconds=0.2))
for event in train(tiny_pair(), settings, Path(sys.argv[1]), Budget(steps=60)):
    pass
"""


def test_a_run_killed_at_a_random_step_resumes_to_the_same_numbers(tmp_path: Path) -> None:
    run = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(run)], cwd=ROOT)
    lines = np.random.default_rng().integers(1, 8)
    metrics = run / "metrics.jsonl"
    while process.poll() is None and (
        not metrics.exists() or len(metrics.read_text().splitlines()) < lines
    ):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    assert process.wait() != 0
    assert torch.get_num_threads() == 1  # more would round otherwise than the killed process
    begun = metrics.read_text().splitlines()
    list(resume(run, Budget(steps=60)))
    train_tiny(tmp_path / "whole", 60)
    whole = (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()
    whole_lines = [line for line in begun if line.endswith("}")]
    assert whole_lines == whole[: len(whole_lines)], "before it was killed"
    assert metrics.read_text().splitlines() == whole, f"killed after {len(begun)} lines"


def test_a_run_killed_before_its_last_measurement_makes_up_for_it(tmp_path: Path) -> None:
    engine = {"checkpoint_seconds": 1e-6, "penalty_every": 2}
    train_tiny(tmp_path / "whole", 3, **engine)
    settings = tiny_settings(engine=TINY.replace(**engine))
    stream = train(tiny_pair(), settings, tmp_path / "killed", Budget(steps=3))
    for event in stream:
        if isinstance(event, CheckpointSaved) and event.step == 3:
            break
    stream.close()  # type: ignore[attr-defined]
    list(resume(tmp_path / "killed", Budget(steps=3)))
    whole, killed = (tmp_path / name / "metrics.jsonl" for name in ("whole", "killed"))
    assert killed.read_text() == whole.read_text()
    assert Run.open(tmp_path / "killed", FUSION).find_checkpoint("last").score is not None


@pytest.mark.parametrize("steps", [2, 3])
def test_a_run_that_ended_is_not_measured_again(tmp_path: Path, steps: int) -> None:
    train_tiny(tmp_path / "run", steps)
    before = (tmp_path / "run" / "metrics.jsonl").read_text()
    list(resume(tmp_path / "run", Budget(steps=steps)))
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == before


def test_a_stopped_run_is_not_measured_where_it_was_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    settings = tiny_settings(engine=TINY.replace(checkpoint_seconds=1e-6))
    for event in train(tiny_pair(), settings, tmp_path / "run", Budget(steps=6), stop):
        if isinstance(event, CheckpointSaved) and event.step == 3:
            stop.set()
    list(resume(tmp_path / "run", Budget(steps=2)))
    run = Run.open(tmp_path / "run", FUSION)
    assert [line["step"] for line in run.measurements()] == [2]


@pytest.mark.parametrize(
    "failure",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("can't allocate memory: 3 GB")],
)
def test_out_of_memory_saves_and_offers_a_smaller_batch_to_go_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    with monkeypatch.context() as patched:
        spoil(patched, lambda trainer: trainer.steps == 4, failure)
        with pytest.raises(OutOfMemoryError, match="--set batch=1") as caught:
            train_tiny(tmp_path / "run", 6, measure_every=50)
    assert caught.value.changes == {"batch": 1}
    assert Run.open(tmp_path / "run", FUSION).find_checkpoint("last").step == 3
    *_, last = resume(tmp_path / "run", Budget(steps=6), changes=caught.value.changes)
    assert isinstance(last, TrainingFinished)
    assert last.step == 6
    config = Run.open(tmp_path / "run", FUSION).config
    assert config.settings.engine.batch == 1
    assert config.changes[0].before == {"batch": 2}
    assert config.changes[0].step == 3


def test_out_of_memory_in_the_first_step_can_be_resumed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        spoil(patched, lambda trainer: True, torch.OutOfMemoryError("out of memory"))
        with pytest.raises(OutOfMemoryError):
            train_tiny(tmp_path / "run", 2)
    *_, last = resume(tmp_path / "run", Budget(steps=2), changes={"batch": 1})
    assert isinstance(last, TrainingFinished)


def test_a_run_cannot_be_resumed_with_other_networks(tmp_path: Path) -> None:
    train_tiny(tmp_path / "run", 1)
    before = (tmp_path / "run" / "config.json").read_text()
    with pytest.raises(SettingsError, match="another channels"):
        next(resume(tmp_path / "run", Budget(steps=2), changes={"channels": 8}))
    assert (tmp_path / "run" / "config.json").read_text() == before


def test_a_second_process_is_refused_while_the_first_trains(tmp_path: Path) -> None:
    first = train(tiny_pair(), tiny_settings(), tmp_path / "run", Budget(steps=2))
    next(first)
    with pytest.raises(RunFolderError, match="in use by process"):
        next(resume(tmp_path / "run", Budget(steps=2)))
    list(first)
    assert isinstance(list(resume(tmp_path / "run", Budget(steps=2)))[-1], TrainingFinished)


def test_without_getting_better_a_run_ends_when_patience_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Evaluator.measure
    monkeypatch.setattr(
        Evaluator,
        "measure",
        lambda self: replace(whole(self), score=float(self.learner.steps)),
    )
    last = train_tiny(tmp_path / "run", 100, patience=2)[-1]
    assert isinstance(last, TrainingFinished)
    assert (last.reason, last.step) == (FinishReason.SETTLED, 6)


def test_every_checkpoint_has_numbers_and_a_picture_and_can_be_generated_from(
    tmp_path: Path,
) -> None:
    train_tiny(tmp_path / "run", 3)
    run = Run.open(tmp_path / "run", FUSION)
    assert [info.step for info in run.checkpoints()] == [2, 3]
    for info in run.checkpoints():
        assert set(info.measurement["volume_fractions"]) == {"phase 0", "phase 1", "phase 2"}
        assert info.measurement["step"] == info.step
        assert info.thumbnail is not None
        with Image.open(info.thumbnail) as picture:
            assert picture.size == (3 * 128 + 2 * 4, 128)
    settings = GenerationSettings(checkpoint="2", device="cpu")
    *_, last = generate(tmp_path / "run", settings)
    assert isinstance(last, GenerationFinished)
    assert last.labels is not None
    assert last.labels.shape == (28, 26, 24)


def test_long_steps_tell_of_their_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 0.0)
    events = train_tiny(tmp_path / "run", 1)
    parts = [event.part for event in events if isinstance(event, StepProgress)]
    assert parts == ["crops", "discriminator", "generator"]


def test_a_measurement_and_its_line_hold_two_point_error_and_anisotropy(tmp_path: Path) -> None:
    events = train_tiny(tmp_path / "run", 2)
    (event,) = [event for event in events if isinstance(event, MetricsMeasured)]
    line = json.loads((tmp_path / "run" / "metrics.jsonl").read_text())
    assert line["two_point_error"] == event.measurement.two_point_error
    assert 0 < line["two_point_error"] < 1
    assert line["anisotropy"] == event.measurement.anisotropy


def test_a_saved_checkpoint_is_the_best_when_its_score_is(tmp_path: Path) -> None:
    events = train_tiny(tmp_path / "run", 2)
    (saved,) = [event for event in events if isinstance(event, CheckpointSaved)]
    assert saved.is_best

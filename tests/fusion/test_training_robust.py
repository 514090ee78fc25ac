"""Runs that go wrong: divergence, roll-back, missing memory, a second process, a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from napari_superres.config import Budget, GenerationSettings
from napari_superres.errors import (
    DivergenceError,
    OutOfMemoryError,
    RunFolderError,
    SettingsError,
)
from napari_superres.events import (
    CheckpointSaved,
    FinishReason,
    GenerationFinished,
    MetricsMeasured,
    RolledBack,
    StepProgress,
    TrainingEvent,
    TrainingFinished,
)
from napari_superres.fusion import loop, watch
from napari_superres.fusion.evaluation import Evaluator
from napari_superres.fusion.step import Trainer
from napari_superres.fusion.training import resume, train
from napari_superres.generation.render import generate
from napari_superres.runs.folder import RunFolder
from tests.fusion.materials import TINY, tiny_pair, tiny_settings

Parts = Callable[[Trainer], Iterator[tuple[str, dict[str, torch.Tensor]]]]
NAN = torch.tensor(torch.nan)


def train_tiny(run: Path, steps: int, **engine: object) -> list[TrainingEvent]:
    settings = tiny_settings(engine=TINY.replace(**engine))
    return list(train(*tiny_pair(), settings, run, Budget(steps=steps)))


def spoil(
    monkeypatch: pytest.MonkeyPatch, when: Callable[[Trainer], bool], error: Exception | None = None
) -> None:
    """Let the loss be no number, or a step fail, when asked to."""
    whole: Parts = Trainer.parts

    def parts(trainer: Trainer) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
        yield from whole(trainer)
        if when(trainer):
            if error is not None:
                raise error
            yield "generator", {"generator": NAN}

    monkeypatch.setattr(Trainer, "parts", parts)


def rate(trainer: Trainer) -> float:
    return float(trainer.networks.generator_optimiser.param_groups[0]["lr"])


def test_a_diverged_run_goes_back_to_where_it_was_good_and_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, lambda trainer: trainer.steps >= 4 and rate(trainer) == TINY.learning_rate)
    monkeypatch.setattr(watch, "ABSENT", 0.0)
    events = train_tiny(tmp_path / "run", 8, annealing=0.0)
    (back,) = [event for event in events if isinstance(event, RolledBack)]
    assert (back.step, back.to_step, back.left) == (4, 2, 2)
    assert back.learning_rate == TINY.learning_rate / 2
    last = events[-1]
    assert isinstance(last, TrainingFinished)
    assert last.step == 8
    run = RunFolder.open(tmp_path / "run")
    assert [line["step"] for line in run.measurements()] == [2, 4, 4, 6, 8]
    (line,) = run.rollbacks()
    assert (line["step"], line["rolled_back_to"]) == (4, 2)
    assert "not a number" in line["reason"]


def test_a_phase_that_vanishes_is_noticed_by_the_measurements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SETTLING", 0.0)
    monkeypatch.setattr(watch, "ABSENT", 0.0)
    whole = Evaluator.measure

    def without_binder(evaluator: Evaluator) -> object:
        found, score = whole(evaluator)
        if evaluator.trainer.steps >= 4 and rate(evaluator.trainer) == TINY.learning_rate:
            found.volume_fractions["phase 2"] = -1.0
        return found, score

    monkeypatch.setattr(Evaluator, "measure", without_binder)
    events = train_tiny(tmp_path / "run", 8, annealing=0.0)
    (back,) = [event for event in events if isinstance(event, RolledBack)]
    assert (back.step, back.reason) == (6, "phase 2 has vanished")


def test_after_three_roll_backs_the_run_ends_and_keeps_its_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "ABSENT", 0.0)
    spoil(monkeypatch, lambda trainer: trainer.steps >= 4)
    with pytest.raises(DivergenceError, match=r"not a number, after 3 roll-backs"):
        train_tiny(tmp_path / "run", 8)
    run = RunFolder.open(tmp_path / "run")
    assert len(run.rollbacks()) == 3
    assert run.find_checkpoint("last").step == 2


def test_without_a_good_checkpoint_a_run_starts_anew_with_other_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, lambda trainer: rate(trainer) == TINY.learning_rate)
    events = train_tiny(tmp_path / "run", 4)
    (back,) = [event for event in events if isinstance(event, RolledBack)]
    assert (back.step, back.to_step) == (2, 0)
    assert isinstance(events[-1], TrainingFinished)


@pytest.mark.parametrize("kill_at", [3, 5, 7])
def test_a_run_with_a_roll_back_resumes_to_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    monkeypatch.setattr(watch, "ABSENT", 0.0)
    spoil(monkeypatch, lambda trainer: trainer.steps >= 6 and rate(trainer) == TINY.learning_rate)
    train_tiny(tmp_path / "whole", 10)
    settings = tiny_settings()
    stream = train(*tiny_pair(), settings, tmp_path / "parts", Budget(steps=10))
    for event in stream:
        if getattr(event, "step", 0) >= kill_at:
            break
    stream.close()  # type: ignore[attr-defined]
    list(resume(tmp_path / "parts", Budget(steps=10)))
    whole, parts = ((tmp_path / name / "metrics.jsonl").read_text() for name in ("whole", "parts"))
    assert whole == parts
    assert "rolled_back_to" in whole


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
for event in train(*tiny_pair(), settings, Path(sys.argv[1]), Budget(steps=60)):
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
    assert RunFolder.open(tmp_path / "run").find_checkpoint("last").step == 3
    *_, last = resume(tmp_path / "run", Budget(steps=6), changes=caught.value.changes)
    assert isinstance(last, TrainingFinished)
    assert last.step == 6
    config = RunFolder.open(tmp_path / "run").config
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
    first = train(*tiny_pair(), tiny_settings(), tmp_path / "run", Budget(steps=2))
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
        Evaluator, "measure", lambda self: (whole(self)[0], float(self.trainer.steps))
    )
    last = train_tiny(tmp_path / "run", 100, patience=2)[-1]
    assert isinstance(last, TrainingFinished)
    assert (last.reason, last.step) == (FinishReason.SETTLED, 6)


def test_every_checkpoint_has_numbers_and_a_picture_and_can_be_generated_from(
    tmp_path: Path,
) -> None:
    train_tiny(tmp_path / "run", 3)
    run = RunFolder.open(tmp_path / "run")
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
    monkeypatch.setattr(loop, "SIGN_OF_LIFE_SECONDS", 0.0)
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

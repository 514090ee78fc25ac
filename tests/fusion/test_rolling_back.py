"""Runs that diverge: they go back to where they were good, and on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from napari_superres.config import Budget
from napari_superres.errors import DivergenceError
from napari_superres.events import RolledBack, TrainingFinished
from napari_superres.fusion.evaluation import Evaluator
from napari_superres.fusion.training import resume, train
from napari_superres.runs.config import FUSION
from napari_superres.runs.run import Run
from napari_superres.training import watch
from tests.fusion.materials import TINY, tiny_pair, tiny_settings
from tests.training.spoiling import rate, spoil, train_tiny


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
    run = Run.open(tmp_path / "run", FUSION)
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
        found = whole(evaluator)
        if evaluator.learner.steps >= 4 and rate(evaluator.learner) == TINY.learning_rate:
            return replace(found, fractions={**found.fractions, "phase 2": -1.0})
        return found

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
    run = Run.open(tmp_path / "run", FUSION)
    assert len(run.rollbacks()) == 3
    assert run.find_checkpoint("last").step == 2


def test_without_a_good_checkpoint_a_run_starts_again_with_other_weights(
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
    stream = train(tiny_pair(), settings, tmp_path / "parts", Budget(steps=10))
    for event in stream:
        if getattr(event, "step", 0) >= kill_at:
            break
    stream.close()  # type: ignore[attr-defined]
    list(resume(tmp_path / "parts", Budget(steps=10)))
    whole, parts = ((tmp_path / name / "metrics.jsonl").read_text() for name in ("whole", "parts"))
    assert whole == parts
    assert "rolled_back_to" in whole

"""What every kind of training has: roll-back, patience, rescue from lack of memory, resuming."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from napari_superres.config import Budget
from napari_superres.errors import DivergenceError, OutOfMemoryError
from napari_superres.events import FinishReason, RolledBack, TrainingFinished
from napari_superres.runs.checkpoints import load_checkpoint
from napari_superres.runs.run import Run
from napari_superres.training import watch
from tests.training.kinds import KINDS, KindOfTraining

Parts = Iterator[tuple[str, dict[str, torch.Tensor]]]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> KindOfTraining:
    return request.param


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny networks may lose a phase."""
    monkeypatch.setattr(watch, "ABSENT", 0.0)


def spoil(
    monkeypatch: pytest.MonkeyPatch, kind: KindOfTraining, does: Callable[[Any], Parts]
) -> None:
    whole = kind.learner.parts

    def parts(learner: Any) -> Parts:
        yield from whole(learner)
        yield from does(learner)

    monkeypatch.setattr(kind.learner, "parts", parts)


def rate(learner: Any) -> float:
    groups = (o.param_groups[0] for o in learner.networks.optimisers.values())
    return max(group["lr"] / group.get("share", 1.0) for group in groups)


def tensors(run: Path) -> dict[str, torch.Tensor]:
    average, training = load_checkpoint(Run.open(run).find_checkpoint("last").folder)
    return {f"average/{name}": value for name, value in average.items()} | training


def assert_same_run(one: Path, other: Path) -> None:
    assert (one / "metrics.jsonl").read_text() == (other / "metrics.jsonl").read_text()
    ours, theirs = tensors(one), tensors(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


def killed_at(events: Iterator[Any], step: int) -> None:
    for event in events:
        if getattr(event, "step", 0) >= step:
            break
    events.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("step", [1, 3, 5])
def test_a_killed_run_goes_on_as_if_it_had_never_been(
    kind: KindOfTraining, tmp_path: Path, step: int, patient: None
) -> None:
    list(kind.train(tmp_path / "whole", 6))
    killed_at(kind.train(tmp_path / "killed", 6), step)
    list(kind.resume(tmp_path / "killed", Budget(steps=6)))
    assert_same_run(tmp_path / "whole", tmp_path / "killed")


def test_a_diverged_run_goes_back_to_where_it_was_good_and_on(
    kind: KindOfTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patient: None
) -> None:
    base = kind.settings.engine.learning_rate  # type: ignore[attr-defined]

    def no_number(learner: Any) -> Parts:
        if learner.steps >= 4 and rate(learner) == pytest.approx(base):
            yield "spoilt", {"generator": torch.tensor(torch.nan)}

    spoil(monkeypatch, kind, no_number)
    events = list(kind.train(tmp_path / "run", 8, annealing=0.0))
    (back,) = [event for event in events if isinstance(event, RolledBack)]
    assert (back.step, back.left) == (4, 2)
    assert back.to_step in (0, 2)
    assert back.learning_rate == pytest.approx(base / 2)
    assert isinstance(events[-1], TrainingFinished)
    assert events[-1].step == 8
    (line,) = Run.open(tmp_path / "run").rollbacks()
    assert "not a number" in line["reason"]


def test_a_run_with_a_roll_back_resumes_to_the_same_numbers(
    kind: KindOfTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patient: None
) -> None:
    base = kind.settings.engine.learning_rate  # type: ignore[attr-defined]

    def no_number(learner: Any) -> Parts:
        if learner.steps >= 6 and rate(learner) == pytest.approx(base):
            yield "spoilt", {"generator": torch.tensor(torch.nan)}

    spoil(monkeypatch, kind, no_number)
    list(kind.train(tmp_path / "whole", 9, annealing=0.0))
    killed_at(kind.train(tmp_path / "killed", 9, annealing=0.0), 7)
    list(kind.resume(tmp_path / "killed", Budget(steps=9)))
    assert "rolled_back_to" in (tmp_path / "whole" / "metrics.jsonl").read_text()
    assert_same_run(tmp_path / "whole", tmp_path / "killed")


def test_after_three_roll_backs_a_run_ends_and_keeps_its_checkpoints(
    kind: KindOfTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patient: None
) -> None:
    def no_number(learner: Any) -> Parts:
        if learner.steps >= 4:
            yield "spoilt", {"generator": torch.tensor(torch.nan)}

    spoil(monkeypatch, kind, no_number)
    with pytest.raises(DivergenceError, match=r"not a number, after 3 roll-backs"):
        list(kind.train(tmp_path / "run", 8))
    run = Run.open(tmp_path / "run")
    assert len(run.rollbacks()) == 3
    assert run.checkpoints()


def test_without_getting_better_a_run_ends_when_patience_does(
    kind: KindOfTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patient: None
) -> None:
    whole = kind.judge.measure  # type: ignore[attr-defined]
    monkeypatch.setattr(
        kind.judge, "measure", lambda judge: replace(whole(judge), score=float(judge.learner.steps))
    )
    last = list(kind.train(tmp_path / "run", 100, patience=2))[-1]
    assert isinstance(last, TrainingFinished)
    assert last.reason is FinishReason.SETTLED
    assert last.step in (4, 6)  # what is measured before its first step, and what is not


def test_without_memory_a_run_is_saved_and_goes_on_with_less(
    kind: KindOfTraining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patient: None
) -> None:
    def full(learner: Any) -> Parts:
        raise torch.OutOfMemoryError("CUDA out of memory")
        yield

    with monkeypatch.context() as patch:
        spoil(patch, kind, lambda learner: full(learner) if learner.steps == 4 else iter(()))
        with pytest.raises(OutOfMemoryError, match="no room") as failed:
            list(kind.train(tmp_path / "run", 8))
    run = Run.open(tmp_path / "run")
    assert run.find_checkpoint("last").step == 3
    assert failed.value.changes
    assert "resume" in failed.value.action
    *_, last = kind.resume(tmp_path / "run", Budget(steps=8), changes=failed.value.changes)
    assert (last.reason, last.step) == (FinishReason.COMPLETED, 8)
    (change,) = Run.open(tmp_path / "run").config.changes
    assert change.after == failed.value.changes


def test_stop_keeps_the_weights(kind: KindOfTraining, tmp_path: Path) -> None:
    stop = threading.Event()
    for event in kind.train(tmp_path / "run", 100, stop):
        if getattr(event, "step", 0) == 2:
            stop.set()
    assert isinstance(event, TrainingFinished)
    assert event.reason is FinishReason.STOPPED
    last = Run.open(tmp_path / "run").find_checkpoint("last")
    assert last.step == event.step
    assert last.thumbnail is not None

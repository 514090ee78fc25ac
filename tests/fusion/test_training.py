from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_superres.config import PRESETS, Budget, ImagingModel, Preset
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import (
    EngineError,
    OutOfMemoryError,
    OutputError,
    PhaseError,
)
from napari_superres.events import (
    CheckpointSaved,
    FinishReason,
    MetricsMeasured,
    PreviewReady,
    StepCompleted,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.fusion.evaluation import score
from napari_superres.fusion.networks.trained import load_generator
from napari_superres.fusion.step import FusionLearner
from napari_superres.fusion.training import FusionRecipe, resume, train
from napari_superres.runs.config import FUSION
from napari_superres.runs.run import Run
from napari_superres.training.clock import annealed
from tests.fusion.materials import TINY, tiny_pair, tiny_settings


def test_a_run_reports_every_kind_of_event_and_ends_with_its_folder(tmp_path: Path) -> None:
    events = list(train(tiny_pair(), tiny_settings(), tmp_path / "run", Budget(steps=4)))
    kinds = {type(event) for event in events}
    assert kinds == {
        TrainingStarted,
        StepCompleted,
        MetricsMeasured,
        PreviewReady,
        CheckpointSaved,
        TrainingFinished,
    }
    assert isinstance(events[0], TrainingStarted)
    last = events[-1]
    assert isinstance(last, TrainingFinished)
    assert (last.reason, last.step, last.run_folder) == (
        FinishReason.COMPLETED,
        4,
        tmp_path / "run",
    )


def test_the_target_is_what_the_slices_measure(tmp_path: Path) -> None:
    pair = tiny_pair()
    first = next(train(pair, tiny_settings(), tmp_path / "run", Budget(steps=1)))
    assert isinstance(first, TrainingStarted)
    image = pair.high_res.sets[0][0]
    wanted = [float((image == phase).mean()) for phase in range(3)]
    assert list(first.target.volume_fractions.values()) == pytest.approx(wanted)


def test_stop_keeps_the_weights(tmp_path: Path) -> None:
    stop = threading.Event()
    steps = []
    for event in train(tiny_pair(), tiny_settings(), tmp_path / "run", Budget(), stop):
        if isinstance(event, StepCompleted | MetricsMeasured):
            steps.append(event.step)
            stop.set()
        last = event
    assert isinstance(last, TrainingFinished)
    assert last.reason is FinishReason.STOPPED
    assert Run.open(tmp_path / "run", FUSION).find_checkpoint("last").step == last.step


def test_a_resumed_run_continues_to_the_same_numbers(tmp_path: Path) -> None:
    pair, settings = tiny_pair(), tiny_settings()
    list(train(pair, settings, tmp_path / "whole", Budget(steps=6)))
    stop = threading.Event()
    for event in train(pair, settings, tmp_path / "parts", Budget(steps=6), stop):
        if isinstance(event, MetricsMeasured):
            stop.set()
    assert Run.open(tmp_path / "parts", FUSION).find_checkpoint("last").step < 6
    list(resume(tmp_path / "parts", Budget(steps=6)))
    whole, parts = (Run.open(tmp_path / name, FUSION) for name in ("whole", "parts"))
    assert whole.measurements() == parts.measurements()
    assert len(whole.measurements()) == 3
    a, b = (load_generator(run, "last").state_dict() for run in (whole, parts))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_abandoned_between_checkpoints_forgets_what_it_will_do_again(tmp_path: Path) -> None:
    pair, settings = tiny_pair(), tiny_settings()
    list(train(pair, settings, tmp_path / "run", Budget(steps=2)))
    run = Run.open(tmp_path / "run", FUSION)
    run.append_line({"step": 4, "score": 0.0})
    list(resume(tmp_path / "run", Budget(steps=4)))
    assert [line["step"] for line in run.measurements()] == [2, 4]
    assert run.measurements()[-1]["score"] > 0


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(tmp_path: Path) -> None:
    lines = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        list(train(tiny_pair(), tiny_settings(seed=seed), tmp_path / name, Budget(steps=2)))
        lines.append((tmp_path / name / "metrics.jsonl").read_text())
    assert lines[0] == lines[1] != lines[2]


@pytest.mark.parametrize(
    "engine",
    [
        TINY.replace(loss="logistic", penalty_every=2),
        TINY.replace(loss="wasserstein", gradient_penalty=10.0, critic_steps=2),
        TINY.replace(noise="input", context=False, crop_margin=2),
        TINY.replace(noise="off", average_half_life=0.0, voxel_loss="mse", clip_norm=None),
        TINY.replace(precision="bfloat16", slices_per_axis=None),
    ],
)
def test_every_way_of_training_takes_steps(engine: object) -> None:
    settings = tiny_settings(engine=engine)
    pair = tiny_pair()
    trainer = FusionRecipe(pair, settings).learner("cpu")
    before = [p.clone() for p in trainer.networks.generator.parameters()]
    for _ in range(2):
        terms = trainer.step()
    assert all(bool(torch.isfinite(value)) for value in terms.values())
    changed = [
        not torch.equal(a, b)
        for a, b in zip(before, trainer.networks.generator.parameters(), strict=True)
    ]
    assert all(changed)


@pytest.mark.parametrize("factor", ["1", "8/5", "3", "2,1,1"])
@pytest.mark.parametrize("imaging", list(ImagingModel))
def test_every_scale_factor_trains(factor: str, imaging: ImagingModel, tmp_path: Path) -> None:
    settings = tiny_settings(scale_factor=factor, imaging=imaging, engine=TINY.replace(crop=16))
    pair = tiny_pair()
    coarse = np.kron(pair.low_res.labels, np.ones((2, 2, 2), np.uint8))
    low_res = SegmentedVolume.from_labels(coarse)
    high_res = SegmentedSlices(pair.high_res.sets, pair.high_res.phases)
    events = list(train(Pair(low_res, high_res), settings, tmp_path / "run", Budget(steps=2)))
    assert isinstance(events[-1], TrainingFinished)


def test_the_paper_preset_takes_a_step_on_a_small_crop() -> None:
    paper = PRESETS[Preset.PAPER].replace(
        batch=1,
        slices_per_axis=2,
        critic_steps=1,
        crop=32,
        crop_margin=0,
        discriminator_channels=(64, 128, 256),
    )
    rng = np.random.default_rng(0)
    low_res = SegmentedVolume.from_labels(rng.integers(0, 2, (16, 16, 16)).astype(np.uint8))
    pair = Pair(low_res, tiny_pair().high_res)
    settings = tiny_settings(engine=paper, preset=Preset.PAPER)
    trainer = FusionRecipe(pair, settings).learner("cpu")
    assert {"discriminator", "penalty", "generator", "voxel"} <= set(trainer.step())


def test_bad_inputs_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    settings = tiny_settings(phase_map={0: 0, 1: 0, 2: 0})
    with pytest.raises(PhaseError, match="low-res"):
        next(train(tiny_pair(), settings, tmp_path / "run", Budget(steps=1)))
    assert not (tmp_path / "run").exists()


def test_a_folder_in_use_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("keep me")
    with pytest.raises(OutputError, match="not empty"):
        next(train(tiny_pair(), tiny_settings(), tmp_path, Budget(steps=1)))


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), OutOfMemoryError),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), OutOfMemoryError),
        (RuntimeError("cuDNN error: something"), EngineError),
    ],
)
def test_failures_of_torch_become_errors_that_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception, expected: type
) -> None:
    def fail(trainer: FusionLearner) -> None:
        raise failure

    monkeypatch.setattr(FusionLearner, "parts", fail)
    with pytest.raises(expected):
        list(train(tiny_pair(), tiny_settings(), tmp_path / "run", Budget(steps=1)))


def test_the_learning_rate_falls_over_the_last_part_of_the_budget() -> None:
    factors = [annealed(share, 0.5) for share in (0.0, 0.5, 0.75, 1.0)]
    assert factors == pytest.approx([1.0, 1.0, 0.51, 0.02])
    assert annealed(0.875, 0.25) == pytest.approx(0.51)
    assert annealed(1.0, 0.0) == 1.0


def test_the_step_that_ends_a_budget_is_measured_and_can_become_the_best(tmp_path: Path) -> None:
    events = list(train(tiny_pair(), tiny_settings(), tmp_path / "run", Budget(steps=3)))
    assert [e.step for e in events if isinstance(e, MetricsMeasured)] == [2, 3]
    run = Run.open(tmp_path / "run", FUSION)
    scores = {line["step"]: line["score"] for line in run.measurements()}
    assert run.find_checkpoint("last").state["score"] == scores[3]
    assert run.find_checkpoint("best").step == min(scores, key=lambda step: scores[step])


def test_a_perfect_measurement_scores_zero(tmp_path: Path) -> None:
    first = next(train(tiny_pair(), tiny_settings(), tmp_path / "run", Budget(steps=1)))
    assert isinstance(first, TrainingStarted)
    assert score(first.target, first.target) == 0


def test_metrics_are_lines_of_json(tmp_path: Path) -> None:
    list(train(tiny_pair(), tiny_settings(), tmp_path / "run", Budget(steps=2)))
    (line,) = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert set(json.loads(line)) == {
        "step",
        "score",
        "volume_fractions",
        "interface_areas",
        "low_res_mismatch",
        "two_point_error",
        "anisotropy",
        "losses",
    }


def test_a_pause_does_not_use_up_the_budget(tmp_path: Path) -> None:
    events = train(tiny_pair(), tiny_settings(), tmp_path / "run", Budget(minutes=0.05))
    for event in events:
        if isinstance(event, StepCompleted):
            time.sleep(3.2)
            break
    later = [event for event in events if isinstance(event, StepCompleted)]
    assert later
    assert later[0].elapsed_s < 3

from __future__ import annotations

import math
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_superres.config import Budget
from napari_superres.errors import InputError, OutputError, RunFolderError, ShapeError
from napari_superres.events import (
    CheckpointSaved,
    FinishReason,
    ImagesMeasured,
    ImagesReady,
    StepCompleted,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.runs.run import Run
from napari_superres.synthesis.step import StyleLearner
from napari_superres.synthesis.training import cut_images, describe_patches, resume, train
from napari_superres.training.clock import annealed
from napari_superres.translation.settings import TRANSLATION
from tests.synthesis.materials import (
    TINY,
    assert_same_checkpoints,
    stopped_at,
    tiny_images,
    tiny_settings,
)


def run_of(folder: Path, steps: int, phases: int = 0, **changes: object) -> list[object]:
    settings = tiny_settings(**changes)
    return list(train(tiny_images(phases), settings, folder, Budget(steps=steps)))


@pytest.mark.parametrize("phases", [0, 3])
def test_a_run_reports_its_steps_measures_images_and_end(tmp_path: Path, phases: int) -> None:
    events = run_of(tmp_path / "run", 2, phases)
    assert isinstance(events[0], TrainingStarted)
    kinds = {type(event) for event in events}
    assert {StepCompleted, ImagesMeasured, ImagesReady, CheckpointSaved} <= kinds
    assert isinstance(events[-1], TrainingFinished)
    assert (events[-1].reason, events[-1].step) == (FinishReason.COMPLETED, 2)


def test_grey_images_show_tones_and_phases_only_their_indices(tmp_path: Path) -> None:
    for phases, highest in ((0, 255), (3, 2)):
        events = run_of(tmp_path / f"run{phases}", 1, phases)
        shown = next(event for event in events if isinstance(event, ImagesReady))
        assert shown.rows["synthetic"][0].shape == (16, 16)
        assert np.max(shown.rows["synthetic"]) <= highest


def test_measures_start_before_the_first_step(tmp_path: Path) -> None:
    run_of(tmp_path / "run", 2)
    lines = Run.open(tmp_path / "run").measurements()
    assert [line["step"] for line in lines] == [0, 2]
    assert {"two_point_rmse", "fraction_gap", "r_t", "p"} <= set(lines[0])


def test_a_resumed_run_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    whole, parts, budget = tmp_path / "whole", tmp_path / "parts", Budget(steps=7)
    run_of(whole, 7)
    stopped_at(5, lambda stop: train(tiny_images(), tiny_settings(), parts, budget, stop))
    list(resume(parts, budget))
    assert_same_checkpoints(whole, parts)
    measured, again = (Run.open(folder).measurements() for folder in (whole, parts))
    assert measured == again


def test_a_run_killed_before_its_first_checkpoint_starts_again(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run_of(whole, 2)
    events = train(tiny_images(), tiny_settings(), killed, Budget(steps=2))
    assert any(isinstance(event, ImagesMeasured) for event in events)  # asks for no more of them
    events.close()
    list(resume(killed, Budget(steps=2)))
    assert_same_checkpoints(whole, killed)
    assert Run.open(killed).measurements() == Run.open(whole).measurements()


def test_a_run_none_of_whose_checkpoints_can_be_read_is_refused(tmp_path: Path) -> None:
    run_of(tmp_path / "run", 1)
    for state in (tmp_path / "run" / "checkpoints").glob("*/state.json"):
        state.write_text("")
    with pytest.raises(RunFolderError, match="No checkpoint of the run"):
        next(resume(tmp_path / "run", Budget(steps=2)))


def test_a_checkpoint_of_another_kind_of_device_is_taken_up() -> None:
    settings = tiny_settings()
    patches = cut_images(tiny_images(), settings)[0]
    one, other, fresh = (StyleLearner(patches, 0, settings, "cpu") for _ in range(3))
    one.step()
    state = one.state() | {"noise_random": torch.zeros(16, dtype=torch.uint8)}  # as CUDA has it
    other.load(one.average_state(), state, one.steps)
    assert torch.equal(one.random.get_state(), other.random.get_state())
    first, begun = (trainer.noise_random.get_state() for trainer in (fresh, other))
    assert not torch.equal(first, begun)  # the noise of the first steps does not come again
    other.step()


def test_the_end_of_the_budget_is_measured(tmp_path: Path) -> None:
    run_of(tmp_path / "run", 3)
    assert [line["step"] for line in Run.open(tmp_path / "run").measurements()] == [0, 2, 3]


def test_a_run_killed_before_its_last_measurement_catches_up(tmp_path: Path) -> None:
    whole, parts, budget = tmp_path / "whole", tmp_path / "parts", Budget(steps=3)
    run_of(whole, 3)
    stopped_at(3, lambda stop: train(tiny_images(), tiny_settings(), parts, budget, stop))
    assert len(Run.open(parts).measurements()) == 2
    list(resume(parts, budget))
    assert Run.open(parts).measurements() == Run.open(whole).measurements()


def test_the_learning_rate_falls_over_the_last_part_of_the_budget() -> None:
    images, settings = tiny_images(), tiny_settings(engine=TINY.replace(annealing=0.5))
    trainer = StyleLearner(cut_images(images, settings)[0], 0, settings, "cpu")
    rates = []
    for share in (0.0, 0.5, 0.75, 1.0):
        trainer.set_rate(1e-3, annealed(share, 0.5))
        rates.append(trainer.networks.generator_optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([rates[0] * factor for factor in (1, 1, 0.51, 0.02)])


def test_every_term_of_the_loss_is_reported(tmp_path: Path) -> None:
    events = run_of(tmp_path / "run", 2)
    losses = [event.losses for event in events if isinstance(event, StepCompleted)]
    names = set().union(*losses)
    assert names == {"generator", "discriminator", "r1", "path_length", "r_t", "p"}


def test_a_relativistic_discriminator_is_penalised_in_its_own_step(tmp_path: Path) -> None:
    settings = tiny_settings(engine=TINY.replace(loss="relativistic", start="style"))
    events = train(tiny_images(), settings, tmp_path / "run", Budget(steps=4))
    losses = [event.losses for event in events if isinstance(event, StepCompleted)]
    names = set().union(*losses)
    assert names == {"generator", "discriminator", "penalty", "path_length", "r_t", "p"}
    assert all(math.isfinite(value) for terms in losses for value in terms.values())


def test_stop_keeps_the_weights(tmp_path: Path) -> None:
    stop = threading.Event()
    events = train(tiny_images(), tiny_settings(), tmp_path / "run", Budget(), stop)
    for event in events:
        if isinstance(event, StepCompleted | ImagesReady):
            stop.set()
    assert isinstance(event, TrainingFinished)
    assert event.reason is FinishReason.STOPPED
    assert Run.open(tmp_path / "run").checkpoints()


def test_without_augmentation_strength_stays_zero(tmp_path: Path) -> None:
    engine = TINY.replace(augmentation="off")
    events = run_of(tmp_path / "run", 4, engine=engine)
    measured = [event for event in events if isinstance(event, ImagesMeasured)]
    assert {event.values["p"] for event in measured} == {0.0}


def test_images_too_small_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="no room"):
        next(iter(train(tiny_images(), tiny_settings(size=64), tmp_path / "run", Budget(steps=1))))
    assert not (tmp_path / "run").exists()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        next(iter(train(tiny_images(), tiny_settings(), tmp_path, Budget(steps=1))))


def test_a_run_of_another_kind_is_refused(tmp_path: Path) -> None:
    run_of(tmp_path / "run", 1)
    with pytest.raises(RunFolderError, match="synthesis"):
        Run.open(tmp_path / "run", TRANSLATION)


def test_inputs_are_kept_as_they_were(tmp_path: Path) -> None:
    run_of(tmp_path / "run", 1, 3)
    kept = Run.open(tmp_path / "run").images("real")
    assert (kept.images[0] == tiny_images(3).images[0]).all()
    assert kept.pixel_size == pytest.approx(0.1)
    assert kept.phases == tiny_images(3).phases


def test_the_patches_are_described_with_stride_and_overlap() -> None:
    line = describe_patches(tiny_images(), tiny_settings(stride=None, overlap=0.75))
    assert "stride 4 (75% overlap)" in line


def test_stride_and_overlap_together_are_refused() -> None:
    with pytest.raises((InputError, ValueError), match="one of them"):
        tiny_settings(overlap=0.5)

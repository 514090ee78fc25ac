"""Networks between two sizes of voxel: trained, resumed, and refused what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from napari_superres.config import Budget
from napari_superres.errors import (
    PhaseError,
    RunFolderError,
    SettingsError,
    ShapeError,
)
from napari_superres.events import (
    ImagesMeasured,
    ImagesReady,
    StepCompleted,
    TrainingFinished,
)
from napari_superres.runs.run import Run
from napari_superres.translation.networks import RandomNoise, ToHighRes, ToLowRes, down_sample
from napari_superres.translation.settings import TranslationSettings
from napari_superres.translation.step import Pool, TranslationLearner
from napari_superres.translation.training import cut_images, resume, train
from napari_superres.translation.translator import Translator
from tests.synthesis.materials import assert_same_checkpoints, stopped_at
from tests.translation.materials import TINY, images, run_of, settings


@pytest.mark.parametrize("phases", [0, 2])
def test_a_run_reports_its_losses_measures_and_images(tmp_path: Path, phases: int) -> None:
    events = run_of(tmp_path / "run", 2, phases)
    losses = next(event.losses for event in events if isinstance(event, StepCompleted))
    assert {"cycle_low", "cycle_high", "identity", "critic_high"} <= set(losses)
    measured = [event for event in events if isinstance(event, ImagesMeasured)]
    assert {"given_back_rmse", "bicubic_two_point_rmse"} <= set(measured[0].values)
    shown = next(event for event in events if isinstance(event, ImagesReady)).rows
    assert [rows[0].shape for rows in shown.values()] == [(8, 8), (16, 16), (16, 16)]
    assert isinstance(events[-1], TrainingFinished)


def test_a_resumed_run_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    whole, parts, budget = tmp_path / "whole", tmp_path / "parts", Budget(steps=6)
    run_of(whole, 6)
    pair = images(24), images(40, seed=1)
    stopped_at(4, lambda stop: train(*pair, settings(), parts, budget, stop))
    list(resume(parts, budget))
    assert_same_checkpoints(whole, parts)


def test_a_run_killed_before_its_first_checkpoint_starts_again(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run_of(whole, 2)
    events = train(images(24), images(40, seed=1), settings(), killed, Budget(steps=2))
    assert any(isinstance(event, ImagesMeasured) for event in events)  # asks for no more of them
    events.close()
    list(resume(killed, Budget(steps=2)))
    assert_same_checkpoints(whole, killed)
    assert Run.open(killed).measurements() == Run.open(whole).measurements()


def test_a_checkpoint_of_another_kind_of_device_is_taken_up() -> None:
    chosen = settings()
    patches = cut_images(images(24), images(40, seed=1), chosen)
    one, other, fresh = (TranslationLearner(*patches, 0, chosen, "cpu") for _ in range(3))
    one.step()
    state = one.state() | {"noise_random": torch.zeros(16, dtype=torch.uint8)}  # as CUDA has it
    other.load(one.average_state(), state, one.steps)
    assert torch.equal(one.random.get_state(), other.random.get_state())
    first, begun = (trainer.noise_random.get_state() for trainer in (fresh, other))
    assert not torch.equal(first, begun)  # the noise of the first steps does not come again
    other.step()


@pytest.mark.parametrize("factor", [1, 2, 4, 8, 16])
def test_sizes_change_by_the_scale_factor_and_back(factor: int) -> None:
    noise = RandomNoise(torch.Generator().manual_seed(0))
    low = torch.rand(1, 1, 4, 6)
    high = ToHighRes(TINY, factor, 0)(low, noise)
    assert high.shape == (1, 1, 4 * factor, 6 * factor)
    assert ToLowRes(TINY, factor, 0)(high, noise).shape == low.shape
    assert down_sample(high, factor).shape == low.shape


def test_translated_phases_are_probabilities() -> None:
    noise = RandomNoise(torch.Generator().manual_seed(0))
    made = ToHighRes(TINY, 2, 3)(torch.rand(2, 3, 4, 4), noise)
    assert torch.allclose(made.sum(dim=1), torch.ones(2, 8, 8))


def test_a_pool_shows_past_images_once_it_is_full() -> None:
    pool = Pool("pool", 2, torch.Generator().manual_seed(0), torch.device("cpu"))
    shown = [float(pool.swap(torch.full((1, 1, 1, 1), float(i)))) for i in range(40)]
    assert shown[:2] == [0.0, 1.0]
    assert 5 < sum(value != i for i, value in enumerate(shown)) < 35


@pytest.mark.parametrize(("factor", "patch", "scales"), [(1, 8, 1), (1, 16, 2), (2, 16, 3)])
def test_the_smallest_patch_that_all_scales_can_see_trains(factor, patch, scales) -> None:
    def chosen(side: int) -> TranslationSettings:
        return settings(scale_factor=factor, engine=TINY.replace(patch=side, scales=scales))

    patches = cut_images(images(24), images(40, seed=1), chosen(patch))
    TranslationLearner(*patches, 0, chosen(patch), "cpu").step()
    with pytest.raises((SettingsError, ValueError), match=r"patch|scales"):
        chosen(patch - 1)


def test_what_does_not_fit_is_refused(grey_run: Path, tmp_path: Path) -> None:
    budget = Budget(steps=1)
    with pytest.raises(PhaseError, match="grey values"):
        next(iter(train(images(24), images(40, 2), settings(), tmp_path / "a", budget)))
    with pytest.raises(ShapeError, match="no room"):
        next(iter(train(images(24), images(12), settings(), tmp_path / "a", budget)))
    with pytest.raises(RunFolderError, match="no run folder"):
        Translator.load(tmp_path)
    with pytest.raises(ValueError, match="scale_factor"):
        settings(scale_factor=3)

"""What a discriminator has to see at least, and that every training crop gives it that."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from napari_superres.config import PRESETS, Budget, EngineSettings, Preset
from napari_superres.data.checks.inputs import crop_shape
from napari_superres.errors import SettingsError
from napari_superres.fusion.networks.discriminator import build_discriminators
from napari_superres.fusion.training import resume, train
from tests.fusion.materials import TINY, tiny_pair, tiny_settings

PAPER = PRESETS[Preset.PAPER]
BARE = TINY.replace(frequency_weight=0.0)  # the discriminator alone


@pytest.mark.parametrize(
    "engine",
    [PAPER, PAPER.replace(discriminator_channels=(4, 8)), BARE, PRESETS[Preset.STANDARD]],
)
def test_the_smallest_slice_is_the_smallest_that_has_a_score(engine: EngineSettings) -> None:
    (discriminator,) = build_discriminators(engine, 3, anisotropic=False)
    side = engine.smallest_slice
    assert discriminator(torch.rand(1, 3, side, side)).isfinite().all()
    with pytest.raises(RuntimeError, match="Kernel size"):
        discriminator(torch.rand(1, 3, side - 1, side - 1))


@pytest.mark.parametrize("factor", ["3/2", "8/5", "3", "4", "7", "10", "12", "15"])
def test_the_papers_crop_is_large_enough_at_every_scale_factor(factor: str) -> None:
    settings = tiny_settings(scale_factor=factor, preset="paper", engine=PAPER)
    _, high = crop_shape(settings)
    assert min(high) - 2 * PAPER.crop_margin >= PAPER.smallest_slice
    assert abs(max(high) - PAPER.crop) < settings.scale_factor[0].numerator  # whole voxels of both


@pytest.mark.parametrize("changes", [{"crop_margin": 7}, {"crop_margin": 30}])
def test_a_crop_of_which_too_little_is_left_is_refused_before_anything_is_written(
    changes: dict[str, int], tmp_path: Path
) -> None:
    settings = tiny_settings(engine=TINY.replace(**changes))
    with pytest.raises(SettingsError, match="crop_margin"):
        next(train(tiny_pair(), settings, tmp_path / "run", Budget(steps=1)))
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_resumed_with_a_crop_too_small_for_its_discriminator(tmp_path: Path) -> None:
    settings = tiny_settings(engine=TINY.replace(crop=24, crop_margin=6))
    list(train(tiny_pair(), settings, tmp_path / "run", Budget(steps=1)))
    before = (tmp_path / "run" / "config.json").read_text()
    with pytest.raises(SettingsError, match="crop_margin"):
        next(resume(tmp_path / "run", Budget(steps=2), changes={"crop": 16}))
    assert (tmp_path / "run" / "config.json").read_text() == before


@pytest.mark.parametrize("margin", range(5))
def test_what_is_offered_when_memory_runs_out_is_large_enough(margin: int) -> None:
    engine = PAPER.replace(batch=1, crop=128, crop_margin=margin)
    while "crop" in (change := engine.less_memory()):
        engine = engine.replace(**change)
    assert engine.crop < 128
    assert engine.crop - 2 * margin >= engine.smallest_slice

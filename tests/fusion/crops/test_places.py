from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_superres.data.boxes import Box, Triple
from napari_superres.fusion.crops.low_res import LowResSampler, cells, representative_cells


def sampler(shape: Triple, core: Triple, step: Triple = (1, 1, 1)) -> LowResSampler:
    labels = np.random.default_rng(0).integers(0, 2, shape, dtype=np.uint8)
    return LowResSampler(labels, 2, core, Box.whole(core), step, torch.device("cpu"))


def test_cells_share_out_a_volume_without_overlap() -> None:
    found = cells(sampler((8, 12, 4), (4, 4, 4)))
    assert {tuple(start) for start in found.tolist()} == {
        (z, y, 0) for z in (0, 4) for y in (0, 4, 8)
    }


@pytest.mark.parametrize("step", [(1, 1, 1), (3, 1, 2)])
def test_cells_reach_both_ends_and_lie_on_whole_voxels(step: Triple) -> None:
    ours = sampler((10, 9, 10), (4, 9, 6), step)
    found = cells(ours)
    assert (found % torch.tensor(step) == 0).all()
    assert (found.min(0).values == 0).all()
    last = torch.tensor([(n - 1) * every for n, every in zip(ours.positions, step, strict=True)])
    assert (found.max(0).values == last).all()


def test_chosen_cells_have_the_fractions_of_the_volume() -> None:
    ours = sampler((16, 16, 16), (4, 4, 4))
    ours.labels[:8] = 1  # the other half has half of it
    chosen = representative_cells(ours, 6, torch.Generator().manual_seed(0))
    core = ours.patches(chosen, Box.whole(ours.core))
    assert len({tuple(start) for start in chosen.tolist()}) == 6
    assert abs(float(core.float().mean()) - float(ours.labels.float().mean())) < 0.02


def test_a_small_volume_is_measured_whole() -> None:
    ours = sampler((8, 8, 8), (4, 4, 4))
    assert len(representative_cells(ours, 24, torch.Generator())) == 8

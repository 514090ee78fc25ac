from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

from napari_superres.data.examples.pair import example_pair
from napari_superres.measures.comparison import compare_volumes
from napari_superres.measures.inputs import ReportInputs
from napari_superres.measures.report.panels import plane_panels
from napari_superres.measures.report.side_by_side import compare_figure


@pytest.fixture(scope="module")
def example():
    return example_pair(size=48, slices=1, slice_size=96)


def inputs_of(example, super_res, truth, offset=(0, 0, 0)):
    pair = example.pair
    return ReportInputs((super_res,), pair.low_res, pair.high_res, truth, example.settings, offset)


def test_the_figure_shows_the_phases_and_returns_its_numbers(example, tmp_path):
    path = tmp_path / "new" / "comparison.png"
    numbers = compare_figure(inputs_of(example, example.truth, example.truth), path)
    pixels = np.unique(
        (matplotlib.image.imread(path)[..., :3] * 255).round().reshape(-1, 3), axis=0
    )
    for phase in example.truth.phases:
        assert [int(phase.colour[i : i + 2], 16) for i in (1, 3, 5)] in pixels.tolist()
    assert numbers["differences"]["super_res_truth"]["volume_fraction_error"] == 0
    assert numbers["low_res_mismatch"] == 0


def test_a_cropped_volume_is_set_against_the_part_it_covers(example):
    cropped = replace(example.truth, labels=example.truth.labels[4:-4, 4:-4, 4:-4])
    numbers = compare_volumes(inputs_of(example, cropped, None, (1, 1, 1)))
    assert numbers["low_res_mismatch"] < 0.05
    assert list(numbers["differences"]) == ["super_res_high_res"]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_planes_shown_lie_at_the_same_place(example, axis):
    truth = replace(example.truth, voxel_size=None)
    cropped = replace(truth, labels=truth.labels[4:-4, 8:-8, 12:-12])
    panels = plane_panels(inputs_of(example, cropped, truth, (1, 2, 3)), axis)
    low_res, _, shown, whole = panels
    top, left = (int(-corner) for corner in whole.origin)
    rows, columns = shown.labels.shape
    assert np.array_equal(whole.labels[top : top + rows, left : left + columns], shown.labels)
    assert low_res.origin == whole.origin


def test_volumes_without_voxel_sizes_are_drawn_too(example, tmp_path):
    low_res, high_res, super_res = [
        replace(v, voxel_size=None)
        for v in (example.pair.low_res, example.pair.high_res, example.truth)
    ]
    compare_figure(ReportInputs((super_res,), low_res, high_res), tmp_path / "comparison.png")
    assert (tmp_path / "comparison.png").stat().st_size > 10_000

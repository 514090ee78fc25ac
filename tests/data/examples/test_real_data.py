"""The published data, read and checked as a user would."""

import numpy as np
import pytest

from napari_superres.config import TrainingSettings, validated
from napari_superres.data.checks.inputs import check_inputs
from napari_superres.data.files.segmented import read_slices, read_volume
from napari_superres.data.pair import Pair
from napari_superres.errors import NotSegmentedError

CASE_4 = {"scale_factor": 2, "phase_map": {0: 0, 1: 128, 2: 0}}


def check(real_data, folder, low, high, **settings):
    volume = read_volume(real_data / folder / low)
    slices = read_slices(
        [real_data / folder / name for name in high], settings.get("anisotropic", False)
    )
    return check_inputs(Pair(volume, slices), validated(TrainingSettings, settings))


def test_case_1_is_a_good_pair(real_data):
    report = check(
        real_data, "case1_cathode", "low_res.tif", ["high_res.tif"],
        scale_factor=4, phase_map={0: 0, 1: 1, 2: 0},
    )  # fmt: skip
    assert report.warnings == ()
    assert report.super_res_shape == (512, 512, 512)


def test_case_2_is_a_good_pair_only_as_anisotropic_and_one_sided(real_data):
    rods, speckles = "high_res_rods.tif", "high_res_speckles.tif"
    common = {"scale_factor": 4, "phase_map": {0: 0, 1: 1}}
    good = check(
        real_data, "case2_separator", "low_res.tif", [rods, rods, speckles],
        anisotropic=True, one_sided=(1,), **common,
    )  # fmt: skip
    assert good.warnings == ()
    wrong = check(real_data, "case2_separator", "low_res.tif", [rods], **common)
    assert "anisotropic" in " ".join(wrong.warnings)


def test_case_3_is_a_good_pair(real_data):
    report = check(
        real_data, "case3_anode", "low_res.tif", ["high_res.tif"],
        scale_factor=4, phase_map={0: 0, 1: 1, 2: 2}, imaging="sampled",
    )  # fmt: skip
    assert report.warnings == ()


def test_case_4_keeps_its_label_values_and_its_slices_are_called_unlike(real_data):
    folder = real_data / "case4_cathode_sem"
    volume = read_volume(folder / "low_res.tif")
    assert [phase.value for phase in volume.phases] == [0, 128]
    assert np.unique(volume.values).tolist() == [0, 128]
    report = check(
        real_data, "case4_cathode_sem", "low_res.tif", ["high_res_subsampled.tif"], **CASE_4
    )
    assert report.warnings[0].startswith("phase 1: 0.67 ± 0.0")
    assert "0.40 in LR (phase 128): the slices do not represent the volume" in report.warnings[0]


def test_micrographs_are_called_greyscale(real_data):
    with pytest.raises(NotSegmentedError, match="249 different values: a greyscale image"):
        read_slices(real_data / "greyscale" / "micrograph_189.tif")

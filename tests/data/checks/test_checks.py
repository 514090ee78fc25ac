from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_superres.config import PRESETS, Preset, TrainingSettings, validated
from napari_superres.data.checks import findings
from napari_superres.data.checks.inputs import check_inputs, crop_shape
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import PhaseError, ScaleFactorError, SettingsError, ShapeError
from napari_superres.scale_factor import parse_scale_factor


def settings_of(**changes):
    return validated(TrainingSettings, {"scale_factor": 4, "phase_map": {0: 0, 1: 1}} | changes)


def pair(low_share=0.5, high_share=0.5, low=(16, 16, 16), high=(128, 128), count=2, **low_options):
    """Return a two-phase white-noise pair with given fractions of phase 1."""
    random = np.random.default_rng(0)
    volume = SegmentedVolume.from_labels(random.random(low) < low_share, **low_options)
    images = [random.random(high) < high_share for _ in range(count)]
    return Pair(volume, SegmentedSlices.from_labels([images]))


def both(inputs):
    return inputs.low_res, inputs.high_res


def texts(report, level="warning"):
    return " ".join(finding.text for finding in report.findings if finding.level == level)


@given(
    st.sampled_from(["1", "8/5", "64/45", "2", "5/2", "4", "8", "16", "4,2,8/5"]),
    st.integers(16, 128),
)
def test_training_crops_are_whole_voxels_of_both_grids(factor, crop):
    settings = settings_of(scale_factor=factor, engine=PRESETS[Preset.QUICK].replace(crop=crop))
    low, high = crop_shape(settings)
    for coarse, fine, ratio in zip(low, high, parse_scale_factor(factor), strict=True):
        assert coarse * ratio == fine
        assert coarse % ratio.denominator == 0
        smallest = int(ratio.denominator * ratio)
        assert abs(fine - crop) <= max(smallest, smallest / 2)


def test_the_papers_crop_is_64_voxels():
    assert crop_shape(settings_of(preset="paper", scale_factor="8/5")) == ((40,) * 3, (64,) * 3)


def test_a_pair_that_fits_is_reported_in_full(small):
    report = check_inputs(small.pair, small.settings)
    assert report.lr_of_hr.tolist() == [0, 1, 0]
    assert report.super_res_shape == small.truth.shape
    assert (report.low_res_crop, report.high_res_crop) == ((12,) * 3, (48,) * 3)
    assert report.warnings == ()
    assert "active material: 0.48 ± " in texts(report, "ok")


def test_slices_unlike_the_volume_are_said_with_numbers_in_one_sentence():
    report = check_inputs(pair(0.40, 0.67), settings_of())
    assert report.warnings == (
        "phase 1: 0.67 ± 0.01 in HR, 0.40 in LR: the slices do not represent the volume, "
        "so the result cannot match both.",
    )


def test_a_single_slice_unlike_the_volume_does_not_represent_it():
    volume, slices = both(pair(0.40, 0.67))
    one = SegmentedSlices((slices.sets[0][:1],), slices.phases)
    (warning,) = check_inputs(Pair(volume, one), settings_of()).warnings
    assert "in HR, 0.40 in LR: the slice does not represent the volume" in warning


def test_each_fraction_of_the_slices_is_told_with_its_expected_error(monkeypatch):
    monkeypatch.setattr(findings, "fraction_error", lambda *_: 0.03)
    volume, slices = both(pair(0.40, 0.45))
    report = check_inputs(Pair(volume, slices), settings_of())
    assert "at 95 % confidence: phase 0 0.55 ± 0.06, phase 1 0.45 ± 0.06" in texts(report, "ok")


def test_isotropic_slices_are_said_to_look_so():
    assert "high-res slices look isotropic" in texts(check_inputs(pair(), settings_of()), "ok")


def test_a_gap_within_the_error_of_small_slices_is_no_warning(monkeypatch):
    monkeypatch.setattr(findings, "fraction_error", lambda *_: 0.03)
    volume, slices = both(pair(0.40, 0.45))
    report = check_inputs(Pair(volume, slices), settings_of())
    assert report.warnings == ()
    assert "0.45 ± 0.06" in texts(report, "ok")


def test_merged_phases_are_compared_together():
    volume = pair(0.5).low_res
    image = np.random.default_rng(1).choice([0, 1, 2], (128, 128), p=[0.3, 0.5, 0.2])
    slices = SegmentedSlices.from_labels([[image.astype(np.uint8)]])
    report = check_inputs(Pair(volume, slices), settings_of(phase_map={0: 0, 1: 1, 2: 0}))
    assert report.warnings == ()


def test_a_one_sided_phase_may_gain_but_not_lose():
    settings = settings_of(one_sided=(1,))
    assert check_inputs(pair(0.4, 0.6), settings).warnings == ()
    assert len(check_inputs(pair(0.6, 0.4), settings).warnings) == 1


def test_a_phase_of_a_few_pixels_is_doubted():
    volume, slices = both(pair())
    image = slices.sets[0][0].copy()
    image[0, :5] = 2
    slices = SegmentedSlices.from_labels([[image, slices.sets[0][1]]])
    report = check_inputs(Pair(volume, slices), settings_of(phase_map={0: 0, 1: 1, 2: 0}))
    assert "phase 2 (value 2) fills only 0.0002 of the high-res slices" in texts(report)


def stretched(shape, axis):
    labels = np.random.default_rng(0).random(shape) < 0.5
    return np.repeat(labels, 3, axis=axis)


def test_slices_and_volumes_that_differ_between_axes_are_noticed():
    volume = SegmentedVolume.from_labels(stretched((16, 48, 48), 0))
    slices = SegmentedSlices.from_labels([[stretched((80, 240), 0)]])
    report = check_inputs(Pair(volume, slices), settings_of())
    assert "more boundaries horizontally than vertically" in texts(report)
    assert "along x than along z" in texts(report) or "along y than along z" in texts(report)


def test_oblong_low_res_voxels_are_no_anisotropy():
    labels = np.random.default_rng(0).random((48, 48, 48)) < 0.5
    labels = np.kron(labels, np.ones((4, 4, 2), bool))[::4]  # 4 times coarser along z
    volume = SegmentedVolume.from_labels(labels[:, :96, :96])
    slices = pair(count=1).high_res
    report = check_inputs(Pair(volume, slices), settings_of(scale_factor="16,4,8"))
    assert "anisotropic" not in texts(report)


def test_few_and_small_slices_are_noticed():
    volume, slices = both(pair(count=1))
    small = SegmentedSlices.from_labels([[*slices.sets[0], slices.sets[0][0][:20]]])
    report = check_inputs(Pair(volume, small), settings_of())
    assert "1 of 2 high-res slices are smaller than a training crop of 48 × 48" in texts(report)
    assert "only 8 training crops" in texts(report, "note")


def test_unknown_voxel_sizes_are_noted():
    volume, slices = both(pair())
    assert "carries no voxel size" in texts(
        check_inputs(Pair(volume, slices), settings_of()), "note"
    )
    known = replace(volume, voxel_size=(0.4,) * 3)
    assert "carry no pixel size" in texts(check_inputs(Pair(known, slices), settings_of()), "note")


def test_a_result_of_oblong_voxels_is_noticed():
    volume, slices = both(pair(voxel_size=(0.8, 0.4, 0.4)))
    assert "no cubes" in texts(check_inputs(Pair(volume, slices), settings_of()))


def test_a_result_too_large_for_memory_is_noticed(monkeypatch):
    class Memory:
        available = 10**9

    monkeypatch.setattr(findings.psutil, "virtual_memory", Memory)
    assert findings.at_result_size((1920,) * 3).level == "warning"
    assert "7.1 GB, with 1 GB of memory free" in findings.at_result_size((1920,) * 3).text
    assert findings.at_result_size((192,) * 3).level == "ok"


def test_a_scale_factor_that_contradicts_the_voxel_sizes_is_refused():
    volume, slices = both(pair(voxel_size=(0.4,) * 3))
    slices = replace(slices, voxel_size=(0.1,) * 3)
    check_inputs(Pair(volume, slices), settings_of(scale_factor="4"))
    with pytest.raises(ScaleFactorError, match=r"factor of 4; the setting is 2\..*Set it to 4"):
        check_inputs(Pair(volume, slices), settings_of(scale_factor=2))


@pytest.mark.parametrize(("fine", "accepted"), [(0.104, True), (0.097, True), (0.11, False)])
def test_voxel_sizes_may_be_five_percent_off(fine, accepted):
    volume, slices = both(pair(voxel_size=(0.4,) * 3))
    slices = replace(slices, voxel_size=(fine,) * 3)
    if accepted:
        check_inputs(Pair(volume, slices), settings_of())
    else:
        with pytest.raises(ScaleFactorError, match="5 % at most"):
            check_inputs(Pair(volume, slices), settings_of())


def test_swapped_inputs_are_suspected():
    volume, slices = both(pair(voxel_size=(0.1,) * 3))
    slices = replace(slices, voxel_size=(0.4,) * 3)
    with pytest.raises(ScaleFactorError, match="swapped"):
        check_inputs(Pair(volume, slices), settings_of())


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ((16, 16, 16), (40, 400), r"largest high-res slice has 40 × 400.*crop has 48 × 48"),
        ((16, 11, 16), (128, 128), r"has 16 × 11 × 16 voxels.*12 × 12 × 12 low-res"),
    ],
)
def test_inputs_smaller_than_a_training_crop_are_refused(low, high, message):
    with pytest.raises(ShapeError, match=message):
        check_inputs(pair(low=low, high=high), settings_of())


def test_the_papers_margin_lets_slices_be_smaller_than_its_crop():
    settings = settings_of(preset="paper", scale_factor=4)
    check_inputs(pair(high=(56, 56)), settings)
    with pytest.raises(ShapeError, match="56 × 56"):
        check_inputs(pair(high=(55, 56)), settings)


def test_the_small_slice_of_an_anisotropic_material_is_named_by_its_axis():
    volume, slices = both(pair())
    images = slices.sets[0][0]
    three = SegmentedSlices.from_labels([[images], [images[:20]], [images]])
    with pytest.raises(ShapeError, match="normal to y has 20 × 128"):
        check_inputs(Pair(volume, three), settings_of(anisotropic=True))


def test_the_number_of_sets_must_fit_the_material():
    volume, slices = both(pair())
    with pytest.raises(ShapeError, match="one set"):
        check_inputs(Pair(volume, slices), settings_of(anisotropic=True))
    three = SegmentedSlices.from_labels([slices.sets[0]] * 3)
    with pytest.raises(SettingsError, match="isotropic"):
        check_inputs(Pair(volume, three), settings_of())


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"phase_map": {0: 0}}, PhaseError, r"says nothing of high-res \(1\)"),
        ({"phase_map": {0: 0, 1: 0}}, PhaseError, r"belongs to low-res \(1\)"),
        ({"one_sided": (5,)}, PhaseError, r"one-sided phases name low-res \[5\]"),
        ({"blur_kernel": 4}, SettingsError, "kernel is 4"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        check_inputs(pair(), settings_of(**changes))


def test_slices_of_a_single_phase_are_refused():
    volume, slices = both(pair(high_share=2))
    with pytest.raises(PhaseError, match="single value 1"):
        check_inputs(Pair(volume, slices), settings_of(phase_map={1: 1}))

import json

import numpy as np
import pytest

from napari_superres.data.phases import Phase, phases_from_values, with_names
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import PhaseError, SettingsError
from napari_superres.measures.comparison import compare_summaries
from napari_superres.measures.naming import pair_names, phase_names
from napari_superres.measures.summary import (
    MEASURES,
    measure_labels,
    measure_slices,
    measure_volume,
)
from tests.measures.materials import bernoulli, checkerboard, lamellae, sphere

PHASES = with_names(phases_from_values([0, 1, 2]), ["pore", "grain", "binder"])


def test_a_summary_names_phases_and_pairs_and_is_json():
    summary = measure_labels(bernoulli((8, 8, 8), (0.2, 0.3, 0.5)), PHASES, (0.1, 0.1, 0.1))
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert list(summary["volume_fractions"]) == ["pore", "grain", "binder"]
    assert list(summary["interface_areas"]) == ["pore|grain", "pore|binder", "grain|binder"]
    assert list(summary["triple_phase_boundary"]) == ["pore|grain|binder"]


def test_phases_of_one_name_are_told_apart_by_their_value():
    twins = (Phase(3, "solid"), Phase(7, "solid"))
    assert phase_names(twins) == ["solid (3)", "solid (7)"]
    assert pair_names(twins) == {(0, 1): "solid (3)|solid (7)"}


def test_images_are_counted_together():
    images = [checkerboard(4, 4), np.zeros((8, 8), np.uint8)]
    summary = measure_labels(images, PHASES)
    assert summary["volume_fractions"]["grain"] == 8 / 80
    assert summary["interface_areas"]["pore|grain"] == 24 / (24 + 112)


def test_an_unknown_measure_is_refused():
    with pytest.raises(SettingsError, match="permeability"):
        measure_labels(checkerboard(4, 4), PHASES, measures=["permeability"])


def test_the_three_sets_of_an_anisotropic_material_count_equally():
    volume = lamellae((8, 8, 8), 1, axis=0)
    sets = [[volume[0]], [volume[:, 0]] * 3, [volume[:, :, 0]]]
    slices = SegmentedSlices.from_labels(sets, voxel_size=(1, 2, 3), phases=PHASES)
    areas = measure_slices(slices)["interface_areas"]
    whole = measure_volume(SegmentedVolume(volume, PHASES))["interface_areas"]
    assert areas["pore|grain"] == pytest.approx((0 + 0.5 + 0.5) / 3)
    assert areas["pore|grain"] == pytest.approx(whole["pore|grain"])


def test_what_belongs_to_an_axis_is_the_mean_over_the_sets_that_hold_it():
    volume = bernoulli((12, 13, 14), (0.3, 0.3, 0.4))
    sets = [[volume[0]], [volume[:, 0]], [volume[:, :, 0]]]
    slices = SegmentedSlices.from_labels(sets, voxel_size=(1, 2, 3), phases=PHASES)
    summary = measure_slices(slices, MEASURES)
    chords = [
        measure_labels(volume[:, 0], PHASES, (1, 3), measures=["mean_chord_length"]),
        measure_labels(volume[:, :, 0], PHASES, (1, 2), measures=["mean_chord_length"]),
    ]
    along_z = [part["mean_chord_length"]["grain"]["y"] for part in chords]
    assert summary["mean_chord_length"]["grain"]["z"] == pytest.approx(np.mean(along_z))
    assert set(summary["fourier_profile"]) == {"z", "y", "x"}
    assert set(summary["two_point"]["distance"]) == {"z", "y", "x"}
    assert summary["axes"] == "zyx"
    assert json.dumps(summary, allow_nan=False)


def test_equal_volumes_differ_by_nothing():
    summary = measure_labels(bernoulli((8, 8, 8), (0.2, 0.3, 0.5)), PHASES)
    errors = compare_summaries(summary, summary)
    assert errors["volume_fraction_error"] == errors["interface_area_error"] == 0


def test_errors_are_means_over_phases_and_over_the_pairs_that_touch():
    found = measure_labels(lamellae((8, 8), 2, 0, phases=2), PHASES)
    wanted = measure_labels(lamellae((8, 8), 1, 0, phases=2), PHASES)
    errors = compare_summaries(found, wanted)
    assert errors["volume_fraction_error"] == 0
    assert errors["interface_area_error"] == pytest.approx(1 - 3 / 7)
    assert errors["interface_areas"]["pore|binder"]["relative"] is None


def test_phases_are_matched_by_value_not_by_name():
    found = measure_labels(checkerboard(4, 5), PHASES)
    other = phases_from_values([0, 1, 2])
    wanted = measure_labels(checkerboard(4, 5), other)
    assert compare_summaries(found, wanted)["volume_fractions"]["grain"]["difference"] == 0


def test_volumes_without_a_common_value_cannot_be_compared():
    found = measure_labels(checkerboard(4, 4), PHASES[:2])
    wanted = measure_labels(checkerboard(4, 4), phases_from_values([128, 255]))
    with pytest.raises(PhaseError, match="no label value in common"):
        compare_summaries(found, wanted)


def test_every_measure_of_a_volume_is_json_with_a_unit():
    volume = bernoulli((12, 13, 14), (0.3, 0.3, 0.4))
    summary = measure_labels(volume, PHASES, (0.5, 0.5, 0.5), measures=MEASURES)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert set(MEASURES) <= set(summary)
    assert summary["units"]["specific_surface_area"] == "1/µm"
    assert set(summary["transport_efficiency"]["pore"]) == {"z", "y", "x"}


def test_an_absent_phase_has_zeros_or_nothing_but_never_fails():
    summary = measure_labels(np.zeros((6, 5, 1), np.uint8), PHASES, measures=MEASURES)
    assert summary["volume_fractions"]["binder"] == 0
    assert summary["mean_chord_length"]["binder"] == {"z": None, "y": None, "x": None}
    assert summary["representativity"]["binder"]["low"] is None
    assert json.dumps(summary, allow_nan=False)


def test_slices_leave_out_what_only_volumes_have():
    image = bernoulli((20, 20), (0.3, 0.3, 0.4))
    summary = measure_labels([image, image], PHASES, measures=MEASURES)
    assert "transport_efficiency" not in summary
    assert set(summary["two_point"]["intra"]["pore"]) == {"y", "x"}


def test_a_slice_tells_the_surface_of_an_isotropic_volume():
    volume = sphere(64, 20)
    areas = measure_labels(volume, PHASES, measures=["specific_surface_area"])
    images = [volume[z] for z in range(64)]
    told = measure_labels(images, PHASES, measures=["specific_surface_area"])
    expected = areas["specific_surface_area"]["grain"]
    assert told["specific_surface_area"]["grain"] == pytest.approx(expected, rel=0.03)


def test_lengths_are_in_microns():
    volume = lamellae((24, 24, 24), 3, 0)
    summary = measure_labels(volume, PHASES, (0.2, 0.1, 0.1), measures=["mean_chord_length"])
    assert summary["mean_chord_length"]["pore"]["z"] == pytest.approx(0.6)


def test_lengths_in_microns_and_in_voxels_are_not_compared():
    labels = bernoulli((8, 8, 8), (0.5, 0.5))
    names = ["specific_surface_area", "volume_fractions"]
    sized = measure_labels(labels, PHASES[:2], [0.1] * 3, measures=names)
    unsized = measure_labels(labels, PHASES[:2], measures=names)
    told = compare_summaries(sized, unsized)
    assert told["volume_fraction_error"] == 0
    assert "specific_surface_area_error" not in told


def test_measures_of_each_axis_are_compared_by_axis():
    measures = ["mean_chord_length", "two_point"]
    found = measure_labels(lamellae((24, 24), 3, 0), PHASES[:2], measures=measures)
    wanted = measure_labels(lamellae((24, 24), 2, 0), PHASES[:2], measures=measures)
    errors = compare_summaries(found, wanted)
    assert errors["mean_chord_length"]["pore"]["y"]["relative"] == pytest.approx(0.5)
    assert errors["mean_chord_length_error"] == pytest.approx(0.5)
    assert errors["two_point_rmse"] > 0.1


def test_the_axes_of_a_slice_are_not_those_of_a_volume():
    measures = ["mean_chord_length"]
    found = measure_labels(lamellae((9, 9, 9), 2, 0), PHASES, measures=measures)
    wanted = measure_labels([lamellae((9, 9), 2, 0)] * 3, PHASES, measures=measures)
    assert "mean_chord_length" not in compare_summaries(found, wanted)


def test_correlations_are_compared_at_equal_distances():
    coarse = bernoulli((12, 12, 12), (0.5, 0.5))
    fine = np.kron(coarse, np.ones((2, 2, 2), np.uint8))
    found, wanted = (
        measure_labels(labels, PHASES[:2], [size] * 3, measures=["two_point"])
        for labels, size in ((fine, 0.1), (coarse, 0.2))
    )
    in_voxels = {**found, "voxel_size_um": None}
    known, unknown = (
        compare_summaries(one, wanted)["two_point_rmse"] for one in (found, in_voxels)
    )
    assert known < unknown / 2


def test_a_phase_of_three_sets_of_slices_may_be_called_as_an_axis_is():
    volume = bernoulli((12, 13, 14), (0.3, 0.7))
    sets = [[volume[0]], [volume[:, 0]], [volume[:, :, 0]]]
    phases = (Phase(0, "x"), Phase(1, "image"))
    summary = measure_slices(SegmentedSlices.from_labels(sets, None, phases), MEASURES)
    assert list(summary["volume_fractions"]) == ["x", "image"]
    assert set(summary["mean_chord_length"]["x"]) == {"z", "y", "x"}
    assert set(summary["two_point"]["intra"]) == {"x", "image"}


def test_the_integral_range_of_three_sets_knows_all_three_voxel_sizes():
    volume = bernoulli((64, 64, 64), (0.5, 0.5))
    sets = [[volume[0]], [volume[:, 0]], [volume[:, :, 0]]]
    ranges = [
        measure_slices(SegmentedSlices.from_labels(sets, size, PHASES[:2]), ["representativity"])[
            "representativity"
        ]["pore"]["integral_range"]
        for size in ((1, 1, 1), (8, 1, 1), (1, 1, 8))
    ]
    assert ranges[1:] == pytest.approx([2 * ranges[0]] * 2)

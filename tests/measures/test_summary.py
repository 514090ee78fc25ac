import json

import numpy as np
import pytest

from napari_superres.data.phases import Phase, phases_from_values, with_names
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import PhaseError, SettingsError
from napari_superres.measures.comparison import compare_summaries
from napari_superres.measures.summary import (
    measure_labels,
    measure_slices,
    measure_volume,
    pair_names,
    phase_names,
)

from .materials import bernoulli, checkerboard, lamellae

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

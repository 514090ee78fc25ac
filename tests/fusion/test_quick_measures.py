from __future__ import annotations

import numpy as np
import pytest

from napari_superres.data.volumes import SegmentedSlices
from napari_superres.fusion import quick_measures as quick
from napari_superres.fusion.evaluation import measure_slices
from napari_superres.measures.kinds.interfaces import face_counts, interface_areas
from napari_superres.measures.kinds.two_point import two_point

RNG = np.random.default_rng(0)
VOLUME = RNG.integers(0, 3, (12, 10, 8)).astype(np.uint8)
LAYERS = np.broadcast_to(np.arange(12)[:, None, None] // 2 % 2, (12, 12, 12)).astype(np.uint8)


def test_two_point_curves_are_those_of_the_full_measure() -> None:
    full = two_point(VOLUME, 3, 3)
    curves = quick.two_point_curves([VOLUME], 3, (1, 3))
    for phase in range(3):
        np.testing.assert_allclose(curves[:, phase], full[:, phase, phase][:, [1, 3]])


def test_face_shares_add_up_to_the_interface_areas() -> None:
    shares = quick.face_shares([VOLUME], 3)
    faces = np.array([VOLUME.size - VOLUME.size / side for side in VOLUME.shape])
    mean = (shares * faces[:, None, None]).sum(0) / faces.sum()
    np.testing.assert_allclose(mean, interface_areas(VOLUME, 3))


def test_layers_are_anisotropic_and_noise_is_hardly() -> None:
    assert quick.anisotropy(quick.face_shares([LAYERS], 2)) == pytest.approx(2.0)
    noise = RNG.integers(0, 2, (40, 40, 40)).astype(np.uint8)
    assert quick.anisotropy(quick.face_shares([noise], 2)) < 0.02


def test_a_volume_of_one_phase_is_isotropic() -> None:
    assert quick.anisotropy(quick.face_shares([np.zeros((4, 4, 4), np.uint8)], 2)) == 0


def test_slices_of_layers_tell_the_axis() -> None:
    sets = tuple((np.ascontiguousarray(LAYERS.take(3, axis)),) for axis in range(3))
    slices = SegmentedSlices.from_labels(
        sets, phases=SegmentedSlices.from_labels([[LAYERS[:, 0]]]).phases
    )
    across, along = (
        quick.slice_face_shares(slices)[0, 0, 1],
        quick.slice_face_shares(slices)[1:, 0, 1],
    )
    assert across > 0.4
    np.testing.assert_array_equal(along, 0)


def test_the_target_of_an_anisotropic_material_does_not_hang_on_the_sizes_of_its_sets() -> None:
    across = np.tile(np.arange(12, dtype=np.uint8)[:, None] // 2 % 2, (1, 12))  # of layers along z
    along = np.zeros((60, 60), np.uint8)
    sets = ([along, along + 1], [across], [across])
    target = measure_slices(SegmentedSlices.from_labels(sets))
    faces_along_z = 5 / 11
    assert target.interface_areas["phase 0|phase 1"] == pytest.approx(faces_along_z / 3)


def test_the_target_of_an_isotropic_material_counts_all_faces_of_all_images() -> None:
    images = [VOLUME[0], VOLUME[1, :4]]
    areas = measure_slices(SegmentedSlices.from_labels([images])).interface_areas
    counts, totals = zip(*(face_counts(image, 3) for image in images), strict=True)
    assert areas["phase 0|phase 2"] == pytest.approx((sum(counts) / sum(totals))[0, 2])


def test_a_material_compared_with_itself_has_no_two_point_error() -> None:
    slices = SegmentedSlices.from_labels([[RNG.integers(0, 2, (64, 64))]])
    curves = quick.slice_curves(slices, (1, 2, 4))
    assert quick.two_point_rmse(curves, curves) == 0
    assert curves.shape == (3, 2, 3)


def test_distances_fit_the_smallest_side() -> None:
    slices = SegmentedSlices.from_labels([[np.eye(64, 20)]])
    assert quick.usable_distances((48, 48, 48), slices) == (1, 2, 3, 4, 6, 8)

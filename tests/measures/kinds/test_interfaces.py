import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_superres.measures.kinds.interfaces import (
    face_counts,
    face_counts_per_axis,
    interface_areas,
)
from tests.measures.materials import bernoulli, checkerboard, labels, lamellae


def test_every_face_of_a_checkerboard_is_an_interface():
    areas = interface_areas(checkerboard(4, 5, 6), 2)
    assert np.array_equal(areas, [[0, 1], [1, 0]])


def test_lamellae_have_faces_along_one_axis_only():
    per_axis = face_counts_per_axis(lamellae((3, 4, 6), 2, axis=2), 2)
    assert per_axis[:, 0, 1].tolist() == [0, 0, 2 * 12]


def test_a_bernoulli_field_has_twice_the_product_of_fractions():
    areas = interface_areas(bernoulli((64, 64, 64), (0.2, 0.3, 0.5)), 3)
    assert areas[0, 1] == pytest.approx(2 * 0.2 * 0.3, abs=0.003)
    assert areas[1, 2] == pytest.approx(2 * 0.3 * 0.5, abs=0.003)


def test_faces_are_counted_across_slabs_once():
    volume = bernoulli((40, 100, 100), (0.2, 0.3, 0.5))
    counts, total = face_counts(volume, 3)
    z, y, x = volume.shape
    assert total == 3 * z * y * x - x * y - y * z - z * x
    assert np.triu(counts).sum() == total
    assert counts[0, 0] == sum(
        np.count_nonzero((np.roll(volume, -1, a) + volume).take(range(volume.shape[a] - 1), a) == 0)
        for a in range(3)
    )


def test_a_slice_has_the_faces_of_a_volume_one_voxel_thick():
    image = bernoulli((9, 11), (0.5, 0.5))
    assert np.array_equal(face_counts(image, 2)[0], face_counts(image[None], 2)[0])


def test_a_single_voxel_has_no_faces():
    assert not interface_areas(np.zeros((1, 1, 1), np.uint8), 3).any()


def test_many_phases_are_counted_too():
    ramp = np.arange(20, dtype=np.uint8).reshape(1, 20)
    counts, total = face_counts(ramp, 32)
    assert total == 19
    assert [counts[i, i + 1] for i in range(19)] == [1] * 19


@given(labels(), st.permutations([0, 1, 2]))
def test_interfaces_are_symmetric_and_permute_with_phases_and_axes(array, order):
    counts, total = face_counts(array, 3)
    assert np.array_equal(counts, counts.T)
    assert np.triu(counts).sum() == total
    assert np.array_equal(counts, face_counts(array.T, 3)[0])
    renamed = np.array(order, np.uint8)[array]
    assert np.array_equal(counts, face_counts(renamed, 3)[0][np.ix_(order, order)])


@given(labels(min_side=2))
def test_faces_of_two_halves_and_of_their_seam_add_up(array):
    halves = face_counts(array[:1], 3)[0] + face_counts(array[1:], 3)[0]
    seam = face_counts_per_axis(array[:2], 3)[0]
    assert np.array_equal(halves + seam, face_counts(array, 3)[0])


def test_taufactor_counts_the_same_faces():
    taufactor = pytest.importorskip("taufactor.metrics")
    volume = bernoulli((16, 16, 16), (0.2, 0.3, 0.5))
    theirs = taufactor.interfacial_areas(volume, device="cpu", normalize=False)
    ours, _ = face_counts(volume, 3)
    assert {pair: int(count) for pair, count in theirs.items()} == {
        (a, b): ours[a, b] for a in range(3) for b in range(a + 1, 3)
    }

import numpy as np
from hypothesis import given

from napari_superres.measures.kinds.percolation import percolating_fractions, percolating_part
from tests.measures.materials import checkerboard, labels, lamellae


def test_lamellae_percolate_along_two_axes_only():
    fractions = percolating_fractions(lamellae((8, 6, 6), 2, axis=0), 2)
    assert fractions.tolist() == [[0, 1, 1], [0, 1, 1]]


def test_a_checkerboard_is_not_connected():
    assert not percolating_fractions(checkerboard(4, 4, 4), 2).any()


def test_only_the_spanning_cluster_counts():
    image = np.array([[1, 0, 1], [1, 0, 0], [1, 0, 1]], np.uint8)
    assert percolating_fractions(image, 2)[1].tolist() == [3 / 5, 0]
    assert percolating_part(image == 1, 0).sum() == 3


def test_an_absent_phase_does_not_percolate():
    assert percolating_fractions(np.zeros((3, 3, 3), np.uint8), 2)[1].tolist() == [0, 0, 0]


def test_every_voxel_spans_an_axis_of_one_voxel():
    assert percolating_fractions(checkerboard(1, 4, 4), 2)[:, 0].tolist() == [1, 1]


@given(labels())
def test_transposing_turns_the_fractions(array):
    found = percolating_fractions(array, 3)
    assert np.array_equal(percolating_fractions(array.T, 3), found[:, ::-1])

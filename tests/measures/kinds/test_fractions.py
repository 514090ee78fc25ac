import numpy as np
import pytest
from hypothesis import given

from napari_superres.errors import PhaseError, ShapeError
from napari_superres.measures.kinds.fractions import phase_counts, volume_fractions
from tests.measures.materials import bernoulli, labels, lamellae


def test_lamellae_have_the_fraction_of_their_thickness():
    assert volume_fractions(lamellae((12, 4, 4), 2, 0, phases=3), 3) == pytest.approx([1 / 3] * 3)


def test_absent_phases_have_the_fraction_zero():
    assert volume_fractions(np.ones((3, 4, 5), np.uint8), 4).tolist() == [0, 1, 0, 0]


def test_a_volume_larger_than_a_slab_is_counted_whole():
    volume = bernoulli((50, 128, 128), (0.3, 0.5, 0.2))
    assert phase_counts(volume, 3).tolist() == np.bincount(volume.ravel()).tolist()


@given(labels())
def test_fractions_add_up_to_one_and_do_not_know_axes(array):
    fractions = volume_fractions(array, 3)
    assert fractions.sum() == pytest.approx(1)
    assert np.array_equal(fractions, volume_fractions(array.T, 3))


@pytest.mark.parametrize("shape", [(4,), (2, 2, 2, 2), (0, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ShapeError, match="shape"):
        volume_fractions(np.zeros(shape, np.uint8), 2)


def test_a_label_that_is_no_phase_is_refused():
    with pytest.raises(PhaseError, match="0 to 1"):
        volume_fractions(np.full((2, 2), 2, np.uint8), 2)


def test_fractional_labels_are_refused():
    with pytest.raises(PhaseError, match="float64"):
        volume_fractions(np.full((2, 2), 0.5), 2)

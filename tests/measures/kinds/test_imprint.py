"""Volumes that show the grid, and volumes that do not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from napari_superres.errors import ScaleFactorError
from napari_superres.measures.kinds.imprint import face_imprint, fraction_imprint
from tests.measures.materials import bernoulli

FOUR = (Fraction(4),) * 3


def test_a_material_without_a_grid_has_little_of_it() -> None:
    labels = bernoulli((64, 64, 64), (0.5, 0.5))
    assert face_imprint(labels, FOUR, 2).max() < 0.01
    assert fraction_imprint(labels, FOUR, 2) < 0.03  # sixteen voxels a side at each place


def test_voxels_enlarged_as_blocks_have_all_faces_at_one_place() -> None:
    coarse = bernoulli((16, 16, 16), (0.5, 0.5))
    labels = np.kron(coarse, np.ones((4, 4, 4), np.uint8))
    np.testing.assert_allclose(face_imprint(labels, FOUR, 2), np.sqrt(3))
    assert fraction_imprint(labels, FOUR, 2) == 0


def test_specks_on_the_lattice_are_an_imprint_of_the_fractions() -> None:
    labels = np.zeros((32, 32, 32), np.uint8)
    labels[1::4, 2::4, 3::4] = 1
    share = np.zeros(64)
    share[0] = 1
    assert fraction_imprint(labels, FOUR, 2) == pytest.approx(share.std())


def test_axes_have_their_own_period() -> None:
    labels = np.zeros((40, 40, 40), np.uint8)
    labels[:, ::8] = 1  # planes normal to y
    found = face_imprint(labels, (Fraction(1), Fraction(8, 5), Fraction(4)), 2)
    assert np.isnan(found[0])
    assert found[1] > 1
    assert np.isnan(found[2])  # no faces along x


def test_a_volume_smaller_than_a_period_says_nothing() -> None:
    labels = bernoulli((6, 6, 6), (0.5, 0.5))
    assert np.isnan(face_imprint(labels, FOUR, 2)).all()
    assert np.isnan(fraction_imprint(labels, (Fraction(8),) * 3, 2))
    with pytest.raises(ScaleFactorError):
        face_imprint(labels, (Fraction(4),), 2)

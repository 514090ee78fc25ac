import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_superres.errors import SettingsError, ShapeError
from napari_superres.measures.kinds.agreement import agreement_maps
from tests.measures.materials import bernoulli, checkerboard


def test_equal_realisations_agree_everywhere():
    volume = bernoulli((4, 5, 6), (0.3, 0.3, 0.4))
    maps = agreement_maps([volume] * 3, 3)
    np.testing.assert_array_equal(maps.likely, volume)
    assert (maps.agreement == 100).all()
    assert (maps.entropy == 0).all()


def test_two_that_never_agree_are_as_undecided_as_can_be():
    board = checkerboard(4, 4, 4)
    maps = agreement_maps([board, 1 - board], 2)
    assert (maps.likely == 0).all()  # ties go to the lowest phase
    assert (maps.agreement == 50).all()
    assert (maps.entropy == 100).all()


def test_the_entropy_of_a_vote_is_its_formula():
    votes = [np.full((1, 1, 1), phase, np.uint8) for phase in (0, 0, 0, 1)]
    maps = agreement_maps(votes, 3)
    expected = -100 * (0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(3)
    assert maps.agreement.item() == 75
    assert maps.entropy.item() == round(expected)


@given(st.permutations(range(4)))
def test_the_order_of_realisations_does_not_matter(order):
    volumes = [bernoulli((3, 4, 5), (0.5, 0.2, 0.3), seed) for seed in range(4)]
    expected, found = (
        agreement_maps(some, 3) for some in (volumes, [volumes[index] for index in order])
    )
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_slabs_are_put_together():
    volumes = [bernoulli((40, 96, 96), (0.5, 0.5), seed) for seed in range(3)]
    maps = agreement_maps(volumes, 2)
    np.testing.assert_array_equal(maps.likely, (np.sum(volumes, axis=0) > 1).astype(np.uint8))


def test_one_realisation_has_nothing_to_agree_with():
    with pytest.raises(SettingsError, match="Two or more"):
        agreement_maps([np.zeros((2, 2, 2), np.uint8)], 2)


def test_realisations_of_different_regions_are_refused():
    with pytest.raises(ShapeError, match="same region"):
        agreement_maps([np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 3), np.uint8)], 2)

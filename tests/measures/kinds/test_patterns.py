"""Frequencies of small blocks, and the distance between two materials."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_superres.errors import ShapeError
from napari_superres.measures.kinds import patterns
from napari_superres.measures.kinds.patterns import (
    block_frequencies,
    pattern_distance,
    slice_frequencies,
    slice_pattern_distances,
    symmetrised,
)
from tests.measures.materials import bernoulli

VOLUMES = arrays(np.uint8, st.tuples(*[st.integers(3, 6)] * 3), elements=st.integers(0, 2))


def counted_one_by_one(labels: np.ndarray) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for z, y, x in product(*(range(side - 1) for side in labels.shape)):
        block = labels[z : z + 2, y : y + 2, x : x + 2]
        if block.min() != block.max():
            key = np.ascontiguousarray(block).tobytes()
            found[key] = found.get(key, 0) + 1
    return found


@given(VOLUMES)
def test_blocks_are_counted_as_one_by_one(labels: np.ndarray) -> None:
    expected = counted_one_by_one(labels)
    if not expected:
        with pytest.raises(ShapeError):
            block_frequencies(labels, 3)
        return
    codes, shares = block_frequencies(labels, 3)
    counts = np.array(sorted(expected.values()))
    np.testing.assert_allclose(np.sort(shares), counts / counts.sum())
    keys = {
        sum(int(v) * 3**power for power, v in enumerate(reversed(np.frombuffer(key, np.uint8))))
        for key in expected
    }
    assert set(codes.tolist()) == keys


def test_a_table_and_sorting_count_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = bernoulli((20, 21, 22), (0.5, 0.3, 0.2))
    table = block_frequencies(labels, 3)
    monkeypatch.setattr(patterns, "MOST_COUNTED", 0)
    sorted_ones = block_frequencies(labels, 3)
    np.testing.assert_array_equal(table[0], sorted_ones[0])
    np.testing.assert_allclose(table[1], sorted_ones[1])


def test_slabs_do_not_change_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = bernoulli((24, 20, 20), (0.5, 0.5))
    whole = block_frequencies(labels, 2)
    monkeypatch.setattr("napari_superres.measures.arrays.SLAB_BYTES", 1)
    np.testing.assert_allclose(block_frequencies(labels, 2)[1], whole[1])


def one_sided(shape: tuple[int, int, int] = (32, 32, 32)) -> np.ndarray:
    """Cubes with a speck on the same octant side of each."""
    labels = np.zeros(shape, np.uint8)
    for z, y, x in product(range(2, shape[0] - 6, 8), repeat=3):
        labels[z : z + 4, y : y + 4, x : x + 4] = 1
        labels[z + 4, y + 4, x + 4] = 2
    return labels


def test_a_side_shows_in_the_blocks_and_goes_with_their_symmetries() -> None:
    labels = one_sided()
    turned = labels[::-1, ::-1, ::-1].copy()
    one, other = block_frequencies(labels, 3), block_frequencies(turned, 3)
    assert pattern_distance(one, other) > 0.02
    alike = symmetrised(one, 3, 3), symmetrised(other, 3, 3)
    assert pattern_distance(*alike) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("ndim", [2, 3])
def test_every_turn_and_mirror_is_in_the_mean(ndim: int) -> None:
    labels = bernoulli((9,) * ndim, (0.6, 0.4))
    of = block_frequencies if ndim == 3 else (lambda a, n: slice_frequencies([a], n))
    wanted = symmetrised(of(labels, 2), 2, ndim)
    for turned in (np.swapaxes(labels, 0, 1), labels[::-1], labels[:, ::-1].T):
        assert pattern_distance(symmetrised(of(turned, 2), 2, ndim), wanted) < 1e-12


def test_the_distance_is_half_the_gap_and_at_most_one() -> None:
    one = np.array([1, 4]), np.array([0.25, 0.75])
    other = np.array([4, 9]), np.array([0.5, 0.5])
    assert pattern_distance(one, other) == pytest.approx(0.5)
    assert pattern_distance(one, one) == 0
    assert pattern_distance(one, (np.array([7]), np.array([1.0]))) == 1


def test_slices_are_compared_axis_by_axis() -> None:
    stack = np.stack([bernoulli((40, 40), (0.5, 0.5), seed=seed) for seed in range(40)])
    stack = np.repeat(stack, 2, axis=0)[:40]  # thicker along z
    wanted = [slice_frequencies(list(np.moveaxis(stack, axis, 0)), 2) for axis in range(3)]
    assert slice_pattern_distances(stack, wanted, 2).max() == 0
    turned = np.moveaxis(stack, 0, 2)
    assert slice_pattern_distances(turned, wanted, 2)[[0, 2]].min() > 0.2


def test_labels_without_a_pattern_are_refused() -> None:
    with pytest.raises(ShapeError, match="no patterns"):
        block_frequencies(np.zeros((4, 4, 4), np.uint8), 2)
    with pytest.raises(ShapeError, match="no patterns"):
        slice_frequencies([np.zeros((2, 9), np.uint8)], 2)
    with pytest.raises(ShapeError, match="no volume"):
        block_frequencies(np.zeros((4, 4), np.uint8), 2)

import numpy as np
import pytest
from hypothesis import given

from napari_superres.measures.kinds.triple import (
    phase_triples,
    triple_edge_counts,
    triple_line_densities,
    triple_phase_boundaries,
)
from tests.measures.materials import bernoulli, labels


def three_slabs_meeting(size: int = 6) -> np.ndarray:
    volume = np.zeros((size, size, size), np.uint8)
    volume[:, size // 2 :] = 1
    volume[:, size // 2 :, size // 2 :] = 2
    return volume


def test_three_slabs_meet_in_one_line_of_edges():
    counts, totals = triple_edge_counts(three_slabs_meeting(6), 3)
    assert counts[:, 0].tolist() == [6, 0, 0]
    assert totals.tolist() == [150, 150, 150]


def test_the_density_of_a_line_is_its_length_over_the_volume():
    density = triple_line_densities(three_slabs_meeting(6), 3, (0.5, 0.2, 0.2))
    assert density == pytest.approx([6 * 0.5 / (6**3 * 0.5 * 0.2 * 0.2)])


def test_a_slice_has_triple_points():
    image = three_slabs_meeting(6)[0]
    assert triple_phase_boundaries(image, 3) == pytest.approx([1 / 25])
    assert triple_line_densities(image, 3, (0.5, 0.2)) == pytest.approx([1 / (36 * 0.1)])


def test_a_bernoulli_field_has_the_chance_of_four_draws():
    p = np.array([0.2, 0.3, 0.5])
    chance = 1 - sum((1 - p) ** 4) + sum(p**4)
    measured = triple_phase_boundaries(bernoulli((64, 64, 64), tuple(p)), 3)
    assert measured == pytest.approx([chance], abs=0.004)


def test_two_phases_have_no_triples_and_an_absent_third_none_either():
    volume = bernoulli((5, 6, 7), (0.5, 0.5))
    assert triple_phase_boundaries(volume, 2).size == 0
    assert triple_phase_boundaries(volume, 3).tolist() == [0]


def test_four_phases_have_four_triples():
    volume = bernoulli((8, 8, 8), (0.25, 0.25, 0.25, 0.25))
    merged = np.array([0, 1, 2, 0], np.uint8)[volume]
    assert phase_triples(4)[0] == (0, 1, 2)
    assert triple_phase_boundaries(volume, 4).min() > 0
    assert triple_phase_boundaries(merged, 4)[1:].tolist() == [0, 0, 0]


def test_edges_are_counted_across_slabs_once():
    volume = bernoulli((40, 100, 100), (0.2, 0.3, 0.5))
    parts = [triple_edge_counts(volume[z : z + 2], 3)[0] for z in range(39)]
    seams = [triple_edge_counts(volume[z : z + 1], 3)[0] for z in range(1, 39)]
    expected = sum(parts) - sum(seams)
    assert np.array_equal(triple_edge_counts(volume, 3)[0], expected)


@given(labels(min_dims=3))
def test_permuting_axes_permutes_directions(volume):
    counts, totals = triple_edge_counts(volume, 3)
    turned_counts, turned_totals = triple_edge_counts(volume.transpose(2, 0, 1), 3)
    assert np.array_equal(turned_counts, counts[[2, 0, 1]])
    assert np.array_equal(turned_totals, totals[[2, 0, 1]])


def test_taufactor_finds_the_same_boundary():
    taufactor = pytest.importorskip("taufactor.metrics")
    volume = bernoulli((12, 13, 14), (0.2, 0.3, 0.5))
    theirs = float(taufactor.triple_phase_boundary(volume.astype(np.int32)))
    assert triple_phase_boundaries(volume, 3) == pytest.approx([theirs])

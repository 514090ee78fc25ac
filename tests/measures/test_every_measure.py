"""Every measure against every kind of input, and against bodies whose measures are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_superres.measures.catalogue import SCALARS
from napari_superres.measures.curves import CURVES
from napari_superres.measures.kinds.chords import chord_counts, mean_chord_lengths
from napari_superres.measures.kinds.fractions import phase_counts
from napari_superres.measures.kinds.interfaces import interface_areas
from napari_superres.measures.kinds.percolation import percolating_fractions
from napari_superres.measures.kinds.surface import specific_surface_areas
from napari_superres.measures.kinds.transport import transport_efficiencies
from napari_superres.measures.kinds.triple import (
    phase_triples,
    triple_edge_counts,
    triple_line_densities,
)
from napari_superres.measures.kinds.two_point import two_point
from napari_superres.measures.naming import as_json
from tests.fakes import PHASES
from tests.measures.materials import bernoulli, checkerboard, labels, lamellae, sphere

N = 3
PAIRS = list(zip(*np.triu_indices(N, 1), strict=True))
ENTRIES = {"phase": N, "pair": len(PAIRS), "triple": len(phase_triples(N))}
EXACT = sorted(set(SCALARS) - {"transport_efficiency", "correlation_length"})
MAY_BE_NONE = {"mean_chord_length", "correlation_length"}
CASES = {
    "one phase alone": np.full((5, 6, 7), 1, np.uint8),
    "a phase absent": bernoulli((5, 6, 7), (0.5, 0.5)),
    "one voxel thick": bernoulli((1, 6, 7), (0.3, 0.3, 0.4)),
    "a line of voxels": bernoulli((1, 9, 1), (0.3, 0.3, 0.4)),
    "a single voxel": np.zeros((1, 1, 1), np.uint8),
    "a slice": bernoulli((8, 9), (0.3, 0.3, 0.4)),
    "a row of pixels": bernoulli((1, 9), (0.3, 0.3, 0.4)),
}


DEFINED = [
    (name, case)
    for name, about in SCALARS.items()
    for case, array in CASES.items()
    if array.ndim == 3 or about.of_slices
]


@pytest.mark.parametrize(("name", "case"), DEFINED)
def test_every_number_is_defined_for_every_input(name, case):
    about, array = SCALARS[name], CASES[case]
    found = about.compute(array, N, np.full(array.ndim, 0.5))
    assert found.shape == (ENTRIES[about.entries], *([array.ndim] if about.per_axis else []))
    known = found[~np.isnan(found)]
    assert (known >= 0).all()
    assert known.size == found.size or name in MAY_BE_NONE
    if about.entries == "phase" and name not in MAY_BE_NONE:
        assert not found[~np.isin(np.arange(N), array)].any()  # an absent phase has nothing


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", CURVES)
def test_every_curve_is_defined_for_every_input(name, case):
    found = as_json(CURVES[name]([CASES[case]], PHASES, np.full(CASES[case].ndim, 0.5)))
    assert found


@settings(max_examples=12)
@given(labels(min_dims=3, min_side=2), st.permutations(range(3)))
@pytest.mark.parametrize("name", EXACT)
def test_permuting_axes_permutes_every_number(name, array, order):
    compute, sizes = SCALARS[name].compute, np.array([0.5, 0.7, 1.1])
    found = compute(array, N, sizes)
    turned = compute(np.ascontiguousarray(array.transpose(order)), N, sizes[list(order)])
    expected = found[:, list(order)] if SCALARS[name].per_axis else found
    np.testing.assert_allclose(turned, expected, rtol=1e-6, atol=1e-12)


@settings(max_examples=12)
@given(labels(min_dims=3, min_side=2), st.permutations(range(N)))
@pytest.mark.parametrize("name", EXACT)
def test_renaming_phases_renames_every_number(name, array, order):
    about, sizes = SCALARS[name], np.ones(3)
    found = about.compute(array, N, sizes)
    renamed = about.compute(np.array(order, np.uint8)[array], N, sizes)
    places = {
        "phase": order,
        "pair": [PAIRS.index(tuple(sorted((order[a], order[b])))) for a, b in PAIRS],
        "triple": [0],
    }[about.entries]
    np.testing.assert_allclose(renamed[list(places)], found, rtol=1e-6, atol=1e-12)


@given(labels(min_dims=3, min_side=2), st.integers(0, 2))
def test_counts_of_two_parts_add_up(array, axis):
    parts = np.array_split(array, 2, axis=axis)
    assert np.array_equal(sum(phase_counts(part, N) for part in parts), phase_counts(array, N))
    seam = np.take(array, [parts[0].shape[axis] - 1, parts[0].shape[axis]], axis=axis)
    whole, first, last, both = (triple_edge_counts(a, N)[0] for a in (array, *parts, seam))
    ends = [triple_edge_counts(np.take(seam, [end], axis=axis), N)[0] for end in (0, 1)]
    assert np.array_equal(whole, first + last + both - ends[0] - ends[1])


def test_chords_of_stacked_slabs_add_up():
    volume = bernoulli((8, 9, 10), (0.3, 0.3, 0.4))
    parts = [chord_counts(part, N)[1:] for part in (volume[:3], volume[3:])]
    assert np.array_equal(parts[0] + parts[1], chord_counts(volume, N)[1:])


def test_a_ball_has_its_known_faces_chords_and_correlation():
    size, radius = 64, 20.0
    ball = sphere(size, radius)
    faces = interface_areas(ball, 2)[0, 1] * (3 * size**3 - 3 * size**2)
    assert faces == pytest.approx(6 * np.pi * radius**2, rel=0.02)
    chords = mean_chord_lengths(chord_counts(ball, 2))[:, 1]
    assert chords == pytest.approx([4 / 3 * radius] * 3, rel=0.02)
    d = np.arange(31)
    covariogram = 1 - 3 * d / (4 * radius) + d**3 / (16 * radius**3)
    pairs = two_point(ball, 2, 30)[:, 1, 1] * size**2 * (size - d) / np.count_nonzero(ball)
    np.testing.assert_allclose(pairs, np.tile(covariogram, (3, 1)), atol=0.01)


def test_a_ball_neither_percolates_nor_conducts_and_hardly_blocks():
    ball = sphere(32, 8.0)
    assert percolating_fractions(ball, 2).tolist() == [[1, 1, 1], [0, 0, 0]]
    found = transport_efficiencies(ball, 2)
    assert found[1].tolist() == [0, 0, 0]
    fraction = ball.mean()
    assert found[0] == pytest.approx([(1 - fraction) / (1 + fraction / 2)] * 3, rel=0.01)


def test_a_ball_cut_in_two_has_a_triple_line_along_the_grid():
    size, radius = 48, 16.0
    ball = sphere(size, radius)
    ball[size // 2 :] *= 2
    (density,) = triple_line_densities(ball, 3, np.ones(3))
    assert density * size**3 == pytest.approx(8 * radius, rel=0.04)  # 4/π × its circumference


@pytest.mark.parametrize("axis", range(3))
def test_lamellae_conduct_along_and_not_across(axis):
    found = transport_efficiencies(lamellae((12, 12, 12), 3, axis), 2)
    expected = np.full((2, 3), 0.5)
    expected[:, axis] = 0
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_lamellae_have_the_area_of_their_planes():
    found = specific_surface_areas(lamellae((64, 64, 64), 8, 0), 2, np.ones(3))
    assert found == pytest.approx([7 / 64] * 2, rel=0.12)  # thirteen directions see flat planes so


def test_a_checkerboard_has_chords_of_one_voxel_and_conducts_nothing():
    board = checkerboard(6, 6, 6)
    assert mean_chord_lengths(chord_counts(board, 2)) == pytest.approx(np.ones((3, 2)))
    assert not transport_efficiencies(board, 2).any()


@pytest.mark.parametrize(("fraction", "connected"), [(0.2, 0.0), (0.6, 1.0)])
def test_a_bernoulli_field_percolates_above_its_threshold_of_31_percent(fraction, connected):
    found = percolating_fractions(bernoulli((40, 40, 40), (1 - fraction, fraction)), 2)[1]
    assert found == pytest.approx([connected] * 3, abs=0.01)

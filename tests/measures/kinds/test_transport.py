import numpy as np
import pytest
from hypothesis import given, settings
from scipy.ndimage import gaussian_filter

from napari_superres.measures.kinds import transport
from napari_superres.measures.kinds.percolation import percolating_part
from napari_superres.measures.kinds.transport import efficiency, transport_efficiencies
from tests.measures.materials import bernoulli, checkerboard, labels, lamellae, sphere


def blobs(size, fraction=0.5, seed=0):
    field = gaussian_filter(np.random.default_rng(seed).standard_normal((size,) * 3), 2)
    return (field < np.quantile(field, fraction)).astype(np.uint8)


def test_straight_pores_have_the_efficiency_of_their_fraction():
    volume = lamellae((9, 8, 7), 3, axis=0, phases=3)
    expected = [[0, 1 / 3, 1 / 3]] * 3
    assert transport_efficiencies(volume, 3) == pytest.approx(np.array(expected), abs=1e-6)


def test_a_full_volume_conducts_all_and_an_absent_phase_nothing():
    volume = np.zeros((30, 4, 5), np.uint8)
    assert transport_efficiencies(volume, 2) == pytest.approx(
        np.array([[1] * 3, [0] * 3]), abs=1e-5
    )


def test_a_phase_that_does_not_percolate_has_exactly_zero():
    assert not transport_efficiencies(checkerboard(6, 6, 6), 2).any()


def test_a_detour_costs_its_length():
    snake = np.array([[1, 0, 0], [1, 1, 1], [0, 0, 1]], np.uint8)
    # six steps of unit conductance, the first and last half in the faces: 4 whole + 2 halves
    assert transport_efficiencies(snake, 2)[1, 0] == pytest.approx(1 / 5 * 3 / 3)


def test_dilute_obstacles_follow_maxwell():
    obstacles = sphere(40, 10)
    solid = obstacles.mean()
    maxwell = (1 - solid) / (1 + solid / 2)
    assert efficiency(obstacles == 0, 0, np.ones(3)) == pytest.approx(maxwell, rel=0.01)


def test_stretched_voxels_conduct_like_the_body_they_make():
    fine = blobs(24).repeat(2, axis=0)
    expected = transport_efficiencies(blobs(24), 2, (2.0, 1.0, 1.0), tolerance=1e-6)
    found = transport_efficiencies(fine, 2, tolerance=1e-6)
    assert found == pytest.approx(expected, rel=0.05)


def test_the_default_tolerance_is_close_to_the_converged_answer():
    volume = blobs(48, 0.3)
    loose = transport_efficiencies(volume, 2, axes=[0])
    tight = transport_efficiencies(volume, 2, axes=[0], tolerance=1e-7)
    assert loose == pytest.approx(tight, rel=1e-3)


def test_taufactor_finds_the_same_efficiency():
    taufactor = pytest.importorskip("taufactor")
    volume = blobs(32, 0.4)
    solver = taufactor.Solver(volume.astype(int), device="cpu")
    solver.solve(verbose=False)
    assert efficiency(volume == 1, 0, np.ones(3)) == pytest.approx(solver.D_eff[0], rel=3e-3)


def test_a_device_is_given_to_taufactor_but_for_voxels_that_are_no_cubes(monkeypatch):
    asked = []
    monkeypatch.setattr(transport, "by_taufactor", lambda part, device: asked.append(device) or 0.5)
    volume = blobs(8)
    assert efficiency(volume < 2, 0, np.ones(3), device="cuda") == 0.5
    assert efficiency(volume < 2, 0, np.array([2.0, 1, 1]), device="cuda") == pytest.approx(1)
    assert asked == ["cuda"]


def test_an_axis_of_one_voxel_is_not_given_to_taufactor():
    thin = checkerboard(1, 4, 4) == 1
    assert efficiency(thin, 0, np.ones(3), device="cuda") == pytest.approx(0.5)


def test_both_solvers_agree():
    pytest.importorskip("taufactor")
    part = percolating_part(blobs(24, 0.5) == 1, 0)
    own = efficiency(part, 0, np.ones(3))
    assert transport.by_taufactor(part, "cpu") == pytest.approx(own, rel=5e-3)


def test_slices_and_axes_of_one_voxel_conduct():
    image = bernoulli((1, 12), (0.5, 0.5))
    found = transport_efficiencies(image, 2)
    assert found[:, 0] == pytest.approx(np.bincount(image.ravel()) / 12)
    assert found[:, 1].tolist() == [0, 0]


@settings(max_examples=30)
@given(labels(n_phases=2))
def test_permuting_axes_permutes_efficiencies_which_stay_below_the_fraction(array):
    found = transport_efficiencies(array, 2)
    fractions = np.bincount(array.ravel(), minlength=2) / array.size
    assert (found <= fractions[:, None] + 1e-5).all()
    turned = transport_efficiencies(array.T, 2)
    np.testing.assert_allclose(turned, found[:, ::-1], rtol=2e-3, atol=1e-6)


def test_sharing_rows_among_threads_changes_nothing(monkeypatch):
    material = blobs(24, 0.5) == 1
    alone = efficiency(material, 0, np.ones(3))
    monkeypatch.setattr("napari_superres.measures.kinds.multigrid.WORTH_SPLITTING", 100)
    assert efficiency(material, 0, np.ones(3)) == pytest.approx(alone, rel=1e-5)

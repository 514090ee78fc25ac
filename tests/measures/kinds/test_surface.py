import numpy as np
import pytest
from hypothesis import given

from napari_superres.measures.kinds.interfaces import interface_areas
from napari_superres.measures.kinds.surface import (
    _directions,
    _weights,
    interface_densities,
    specific_surface_areas,
)
from tests.measures.materials import labels, lamellae, sphere


@pytest.mark.parametrize("radius", [6.3, 10.1, 15.4])
def test_a_sphere_has_its_area_where_counting_faces_gives_half_as_much_again(radius):
    volume = sphere(112, radius)
    area = specific_surface_areas(volume, 2)[1] * volume.size
    assert area == pytest.approx(4 * np.pi * radius**2, rel=0.035)
    faces = interface_areas(volume, 2)[0, 1] * 3 * volume.size
    assert faces > 1.4 * 4 * np.pi * radius**2


def test_overlapping_spheres_have_the_area_of_the_boolean_model():
    rng = np.random.default_rng(0)
    size, radius, rate = 128, 9.0, 3e-5
    grid = np.indices((size,) * 3)
    volume = np.zeros((size,) * 3, np.uint8)
    margin = 10
    for centre in rng.uniform(-margin, size + margin, (rng.poisson(rate * (size + 20) ** 3), 3)):
        low = np.maximum(0, np.floor(centre - radius)).astype(int)
        high = np.minimum(size, np.ceil(centre + radius) + 1).astype(int)
        box = tuple(slice(lo, hi) for lo, hi in zip(low, high, strict=True))
        place = grid[(slice(None), *box)] - centre[:, None, None, None]
        volume[box] |= (place**2).sum(axis=0) <= radius**2
    solid = volume.mean()
    expected = -np.log(1 - solid) * (1 - solid) * 3 / radius
    assert specific_surface_areas(volume, 2) == pytest.approx([expected] * 2, rel=0.05)


def test_a_disc_has_its_perimeter():
    image = sphere(160, 40)[80]
    perimeter = specific_surface_areas(image, 2)[1] * image.size
    assert perimeter == pytest.approx(2 * np.pi * 40, rel=0.03)


def test_stretched_voxels_do_not_stretch_the_area():
    fine = sphere(96, 20)
    coarse = fine[1::3]
    expected = specific_surface_areas(fine, 2, (0.1, 0.1, 0.1))
    assert specific_surface_areas(coarse, 2, (0.3, 0.1, 0.1)) == pytest.approx(expected, rel=0.04)


def test_units_are_those_of_the_voxel_size():
    volume = lamellae((8, 8, 8), 2, 0)
    in_voxels = specific_surface_areas(volume, 2)
    assert specific_surface_areas(volume, 2, (0.5, 0.5, 0.5)) == pytest.approx(in_voxels / 0.5)


def test_a_phase_touches_the_others_with_all_its_surface():
    volume = lamellae((12, 8, 8), 2, 0, phases=3)
    pairs = interface_densities(volume, 3)
    assert pairs[0, 2] > 0
    assert specific_surface_areas(volume, 3) == pytest.approx(pairs.sum(axis=0))


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 1), (5, 5), (4, 4, 4)])
def test_one_phase_alone_has_no_surface(shape):
    assert not specific_surface_areas(np.ones(shape, np.uint8), 3).any()


@pytest.mark.parametrize("shape", [(6, 1, 1), (1, 6), (6, 6, 1)])
def test_axes_of_one_voxel_are_left_out(shape):
    areas = specific_surface_areas(lamellae(shape, 2, 0) if shape[0] > 1 else [[0, 0, 1, 1]], 2)
    assert np.isfinite(areas).all()
    assert areas[0] == areas[1] > 0


@pytest.mark.parametrize("shape", [(3, 3, 3), (1, 3, 3), (3, 3), (1, 3), (1, 1, 3)])
def test_directions_share_the_whole_sphere(shape):
    offsets = np.array(_directions(shape), float)
    assert len(offsets) == (3 ** sum(size > 1 for size in shape) - 1) / 2
    weights = _weights(offsets / np.linalg.norm(offsets, axis=1, keepdims=True))
    assert weights.sum() == pytest.approx(1)
    assert weights.min() > 0


@given(labels(min_dims=3))
def test_turning_a_volume_leaves_its_areas(volume):
    found = interface_densities(volume, 3)
    assert found == pytest.approx(found.T)
    assert interface_densities(volume.transpose(1, 2, 0), 3) == pytest.approx(found)
    assert interface_densities(volume[::-1], 3) == pytest.approx(found)


def test_marching_cubes_agree_on_a_smooth_body_but_for_their_known_excess():
    measure = pytest.importorskip("skimage.measure")
    volume = sphere(64, 20)
    vertices, faces, _, _ = measure.marching_cubes(volume.astype(float), 0.5)
    theirs = measure.mesh_surface_area(vertices, faces)
    ours = specific_surface_areas(volume, 2)[1] * volume.size
    assert 1.02 < theirs / ours < 1.10

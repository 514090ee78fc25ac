import numpy as np
import pytest
from scipy import ndimage

from napari_superres.data.checks.findings import boundary_density
from napari_superres.data.checks.inputs import check_inputs
from napari_superres.data.examples.cathode import cathode_slices, pack_particles
from napari_superres.data.examples.pair import example_pair
from napari_superres.data.examples.simulate import simulate_low_res


def fractions(labels):
    return np.bincount(labels.ravel(), minlength=3) / labels.size


def test_slices_and_truth_have_the_same_fractions(small):
    truth, slices = fractions(small.truth.labels), fractions(small.pair.high_res.sets[0][0])
    assert truth == pytest.approx([0.37, 0.48, 0.15], abs=0.002)
    assert slices == pytest.approx(truth, abs=0.01)


def test_the_low_res_volume_is_the_truths(small):
    again = simulate_low_res(small.truth, 4, small.settings.phase_map)
    assert np.array_equal(again.labels, small.pair.low_res.labels)
    assert small.pair.low_res.voxel_size == pytest.approx((0.4, 0.4, 0.4))
    assert [phase.name for phase in small.pair.low_res.phases] == ["pore", "active material"]


def test_the_pair_passes_the_checks_without_a_warning():
    example = example_pair(size=96, slices=2, slice_size=256)
    assert check_inputs(example.pair, example.settings).warnings == ()


def test_the_same_seed_makes_the_same_material_and_another_another(small):
    again = example_pair(size=64, seed=3, slices=1, slice_size=128)
    other = example_pair(size=64, seed=4, slices=1, slice_size=128)
    assert np.array_equal(again.truth.labels, small.truth.labels)
    assert np.array_equal(again.pair.high_res.sets[0][0], small.pair.high_res.sets[0][0])
    assert not np.array_equal(other.truth.labels, small.truth.labels)


def test_slices_are_of_another_place_than_the_volume(small):
    # 64² parts of a slice against the truth's planes: unlike as independent materials are
    part = small.pair.high_res.sets[0][0][:64, :64]
    assert min(np.mean(plane != part) for plane in small.truth.labels) > 0.4


def test_pore_and_active_material_percolate_along_every_axis(small):
    for phase in (0, 1):
        parts, _ = ndimage.label(small.truth.labels == phase)
        for axis in range(3):
            first, last = np.take(parts, 0, axis), np.take(parts, -1, axis)
            assert set(first[first > 0]) & set(last[last > 0])


def test_the_material_knows_no_axis():
    density, error = boundary_density([example_pair(96, slices=1).truth.labels])
    assert density.max() / density.min() - 1 < 3 * error


def test_planes_have_the_boundaries_of_the_volume():
    example = example_pair(size=128, slices=3, slice_size=384)
    volume, _ = boundary_density([example.truth.labels])
    planes, _ = boundary_density(example.pair.high_res.sets[0])
    assert planes.mean() == pytest.approx(volume.mean(), rel=0.08)


def test_binder_lies_on_active_material_and_is_thick_enough_to_be_resolved():
    plane = cathode_slices(1, 256, np.random.default_rng(0))[0]
    binder = plane == 2
    parts, count = ndimage.label(binder)
    touched = set(parts[ndimage.binary_dilation(plane == 1)])
    size = np.bincount(parts.ravel())
    assert sum(size[part] for part in range(1, count + 1) if part in touched) > 0.95 * binder.sum()
    opened = ndimage.binary_opening(binder, np.ones((3, 3)))
    assert opened.sum() > 0.75 * binder.sum()


def test_particles_touch_but_hardly_overlap():
    packing = pack_particles((96, 96, 96), np.random.default_rng(0))
    gaps = packing.centres[:, None] - packing.centres[None]
    gaps -= 96 * np.round(gaps / 96)
    distance = np.linalg.norm(gaps, axis=-1) - packing.radii[:, None] - packing.radii[None]
    np.fill_diagonal(distance, np.inf)
    assert distance.min() > -0.3 * packing.radii.min() - 4  # the grid of places is 2 voxels wide
    assert np.median(distance.min(axis=1)) < 2


@pytest.mark.parametrize("factor", ["8/5", 2, 8])
def test_other_scale_factors_give_a_truth_on_the_super_res_grid(factor):
    example = example_pair(size=48, scale_factor=factor, slices=1, slice_size=64)
    ratio = float(example.settings.scale_factor[0])
    assert example.truth.shape == tuple(int(side * ratio) for side in example.pair.low_res.shape)

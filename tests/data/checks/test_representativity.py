import numpy as np
import pytest
from scipy import ndimage

from napari_superres.data.checks.findings import boundary_density
from napari_superres.data.checks.representativity import fraction_error


def blobs(shape, length=4.0, threshold=0.3, seed=0):
    """Return a material of known statistics: a Gaussian random field, cut at a level."""
    noise = np.random.default_rng(seed).standard_normal(shape)
    field = ndimage.gaussian_filter(noise, length, mode="wrap")
    return (field > threshold * field.std()).astype(np.uint8)


def tiles(image, side):
    rows, columns = (size // side * side for size in image.shape)
    return [image[r : r + side, c : c + side] for r in range(0, rows, side)
            for c in range(0, columns, side)]  # fmt: skip


@pytest.mark.parametrize("side", [64, 128])
def test_the_error_is_the_scatter_between_independent_images(side):
    parts = [part for seed in range(3) for part in tiles(blobs((1024, 1024), seed=seed), side)]
    scatter = np.std([part.mean() for part in parts])
    told = np.sqrt(np.mean([fraction_error([part], [1]) ** 2 for part in parts[::4]]))
    assert 0.9 * scatter < told < 1.4 * scatter  # overstated rather than understated


def test_more_images_have_a_smaller_error():
    parts = tiles(blobs((512, 512)), 128)
    alone = np.mean([fraction_error([part], [1]) for part in parts])
    assert fraction_error(parts[:4], [1]) == pytest.approx(alone / 2, rel=0.35)


def test_coarser_features_have_a_larger_error():
    fine, coarse = blobs((256, 256), 2), blobs((256, 256), 8)
    assert fraction_error([coarse], [1]) > 2 * fraction_error([fine], [1])


def test_white_noise_has_the_error_of_counting():
    noise = (np.random.default_rng(0).random((256, 256)) < 0.3).astype(np.uint8)
    assert fraction_error([noise], [1]) == pytest.approx(np.sqrt(0.3 * 0.7) / 256, rel=0.1)


def test_volumes_are_measured_like_images():
    volume = blobs((64, 64, 64), 3)
    parts = [volume[z : z + 32, y : y + 32, x : x + 32]
             for z in (0, 32) for y in (0, 32) for x in (0, 32)]  # fmt: skip
    told = np.mean([fraction_error([part], [1]) for part in parts])
    assert told == pytest.approx(np.std([part.mean() for part in parts], ddof=1), rel=0.6)


def test_an_absent_phase_has_no_error_and_a_single_feature_a_large_one():
    half = np.zeros((64, 64), np.uint8)
    half[:, :32] = 1
    assert fraction_error([half], [5]) == 0
    assert 0.2 < fraction_error([half], [1]) <= 0.5


def test_phases_taken_together_are_one():
    image = blobs((128, 128))
    image[image == 0] = 2 * blobs((128, 128), seed=1)[image == 0]
    assert fraction_error([image], [0, 2]) == pytest.approx(fraction_error([image], [1]))


def test_boundaries_are_counted_along_each_axis():
    stripes = np.zeros((100, 100), np.uint8)
    stripes[::2] = 1
    density, _ = boundary_density([stripes])
    assert density.tolist() == [1, 0]


def test_no_boundaries_are_met_along_an_axis_of_one_voxel():
    stripes = np.zeros((1, 48, 48), np.uint8)
    stripes[:, ::2] = 1
    assert boundary_density([stripes])[0].tolist() == [0, 1, 0]


def test_an_isotropic_material_differs_between_axes_by_no_more_than_the_error():
    density, error = boundary_density([blobs((512, 512), seed=seed) for seed in range(3)])
    assert abs(density[0] / density[1] - 1) < 3 * error
    assert error < 0.05


def test_a_stretched_material_differs_by_far_more_than_the_error():
    noise = np.random.default_rng(0).standard_normal((512, 512))
    image = (ndimage.gaussian_filter(noise, (6, 3)) > 0).astype(np.uint8)
    density, error = boundary_density([image])
    assert density[1] / density[0] - 1 > 10 * error

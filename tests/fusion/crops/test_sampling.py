from __future__ import annotations

import numpy as np
import torch

from napari_superres.data.boxes import Box
from napari_superres.fusion.crops.low_res import LowResSampler
from napari_superres.fusion.crops.slices import SliceSampler, plane_symmetries, random_slices

CPU = torch.device("cpu")


def test_low_res_patches_bring_their_real_context() -> None:
    labels = np.arange(6 * 5 * 4, dtype=np.uint8).reshape(6, 5, 4)
    sampler = LowResSampler(labels, 2, (2, 2, 2), Box((-1, -1, -1), (3, 3, 3)), (1, 1, 1), CPU)
    patch = sampler.patches(torch.tensor([[2, 1, 1]]), sampler.context)[0].numpy()
    np.testing.assert_array_equal(patch, labels[1:5, 0:4, 0:4])


def test_outside_the_volume_its_border_repeats() -> None:
    labels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    sampler = LowResSampler(labels, 2, (2, 2, 2), Box((-2, 0, 0), (2, 2, 2)), (1, 1, 1), CPU)
    patch = sampler.patches(torch.zeros(1, 3, dtype=torch.int64), sampler.context)[0].numpy()
    np.testing.assert_array_equal(patch, np.pad(labels, [(2, 0), (0, 0), (0, 0)], "edge"))


def test_the_last_position_is_drawn_too() -> None:
    sampler = LowResSampler(
        np.zeros((4, 4, 4), np.uint8), 1, (3, 3, 3), Box.whole((3, 3, 3)), (1, 1, 1), CPU
    )
    starts = sampler.random_starts(200, torch.Generator().manual_seed(0))
    assert starts.amin(0).tolist() == [0, 0, 0]
    assert starts.amax(0).tolist() == [1, 1, 1]


def test_starts_are_multiples_of_the_step() -> None:
    sampler = LowResSampler(
        np.zeros((17, 17, 17), np.uint8), 1, (5, 5, 5), Box.whole((5, 5, 5)), (5, 5, 5), CPU
    )
    starts = sampler.random_starts(50, torch.Generator().manual_seed(0))
    assert set(starts.flatten().tolist()) == {0, 5, 10}


def test_slices_are_crops_of_the_images_in_all_eight_symmetries() -> None:
    image = np.arange(9, dtype=np.uint8).reshape(3, 3)
    sampler = SliceSampler([image], 9, (3, 3), CPU)
    crops = sampler.sample(300, torch.Generator().manual_seed(0)).argmax(1).numpy()
    seen = {crop.tobytes() for crop in crops}
    turned = [np.rot90(image, k) for k in range(4)]
    wanted = {np.ascontiguousarray(t).astype(np.int64).tobytes() for t in turned} | {
        np.ascontiguousarray(t.T).astype(np.int64).tobytes() for t in turned
    }
    assert seen == wanted


def test_an_anisotropic_plane_is_mirrored_but_not_turned() -> None:
    image = np.arange(4, dtype=np.uint8).reshape(2, 2)
    sampler = SliceSampler([image], 4, (2, 2), CPU, rotate=False)
    crops = sampler.sample(100, torch.Generator().manual_seed(0)).argmax(1).numpy()
    assert {tuple(crop.flatten()) for crop in crops} == {
        (0, 1, 2, 3),
        (1, 0, 3, 2),
        (2, 3, 0, 1),
        (3, 2, 1, 0),
    }


def test_images_of_different_sizes_are_drawn_by_their_free_positions() -> None:
    images = [np.zeros((4, 4), np.uint8), np.ones((4, 40), np.uint8)]
    sampler = SliceSampler(images, 2, (4, 4), CPU)
    crops = sampler.sample(400, torch.Generator().manual_seed(0))
    assert 0.9 < float(crops[:, 1].mean()) < 1.0


def test_random_slices_are_planes_of_the_volumes() -> None:
    volumes = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 1, 3, 4, 5)
    slices = random_slices(volumes, 1, 2, torch.Generator().manual_seed(0))
    assert slices.shape == (4, 1, 3, 5)
    planes = [volumes[b, :, :, y] for b in range(2) for y in range(4)]
    assert all(any(torch.equal(s, plane) for plane in planes) for s in slices)


def crops_of(sampler: SliceSampler, count: int = 300) -> set[bytes]:
    crops = sampler.sample(count, torch.Generator().manual_seed(0)).argmax(1).to(torch.uint8)
    return {crop.numpy().tobytes() for crop in crops}


def test_turned_without_mirrors_gives_the_four_quarter_turns() -> None:
    image = np.arange(9, dtype=np.uint8).reshape(3, 3)
    sampler = SliceSampler([image], 9, (3, 3), CPU, mirror=False)
    assert crops_of(sampler) == {np.rot90(image, k).tobytes() for k in range(4)}


def test_mirrored_along_the_columns_only() -> None:
    image = np.arange(9, dtype=np.uint8).reshape(3, 3)
    sampler = SliceSampler([image], 9, (3, 3), CPU, rotate=False, mirror=(False, True))
    assert crops_of(sampler) == {image.tobytes(), np.ascontiguousarray(image[:, ::-1]).tobytes()}


def test_images_of_all_sizes_are_drawn_from_by_the_places_that_they_have() -> None:
    images = [
        np.full(shape, i, np.uint8) for i, shape in enumerate([(4, 9), (9, 4), (4, 4), (3, 9)])
    ]
    for rotate in (False, True):
        sampler = SliceSampler(images, 4, (4, 4), CPU, rotate=rotate)
        drawn = sampler.sample(2600, torch.Generator().manual_seed(0)).argmax(1)[:, 0, 0]
        shares = torch.bincount(drawn, minlength=4) / 2600
        np.testing.assert_allclose(shares, [6 / 13, 6 / 13, 1 / 13, 0], atol=0.04)


def test_an_image_that_fits_only_turned_is_drawn_turned() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(3, 2)
    crops = SliceSampler([image], 6, (2, 3), CPU, mirror=False).sample(
        20, torch.Generator().manual_seed(0)
    )
    seen = {tuple(crop.argmax(0).flatten().tolist()) for crop in crops}
    assert seen == {(4, 2, 0, 5, 3, 1), (1, 3, 5, 0, 2, 4)}


def test_symmetries_are_chosen_by_axis() -> None:
    assert plane_symmetries("auto", "auto", 0, anisotropic=False) == (True, (True, True))
    assert plane_symmetries("auto", "auto", 0, anisotropic=True) == (False, (True, True))
    assert plane_symmetries("z", "yx", 0, anisotropic=True) == (True, (True, True))
    assert plane_symmetries("z", "yx", 1, anisotropic=True) == (False, (False, True))
    assert plane_symmetries("none", "none", 2, anisotropic=False) == (False, (False, False))


def augmenting(
    labels: np.ndarray, core: tuple[int, int, int], alike: tuple[int, ...]
) -> LowResSampler:
    context = Box((-1, -1, -1), (core[0] + 2, core[1] + 1, core[2] + 1))
    return LowResSampler(labels, 256, core, context, (1, 1, 1), CPU, alike=alike)


def test_an_augmented_patch_is_the_volume_seen_from_another_side_with_its_real_context() -> None:
    labels = np.random.default_rng(0).integers(0, 256, (6, 6, 6)).astype(np.uint8)
    sampler = augmenting(labels, (2, 2, 2), (4, 4, 4))
    orientation = (torch.tensor([[2, 0, 1]]), torch.tensor([[True, False, False]]))
    patch = sampler.patches(torch.tensor([[1, 2, 3]]), sampler.context, orientation)[0]
    seen = labels.transpose(2, 0, 1)[::-1]  # its first axis is the volume's x, mirrored
    start = (6 - 3 - 2, 1, 2)
    box = sampler.context.moved(start)
    np.testing.assert_array_equal(patch, seen[box.slices()])


def test_only_axes_of_equal_scale_factor_change_places() -> None:
    labels = np.zeros((6, 6, 6), np.uint8)
    orders = augmenting(labels, (2, 2, 2), (4, 2, 2)).orders_P3
    assert orders is not None
    assert orders.tolist() == [[0, 1, 2], [0, 2, 1]]


def test_without_augmentation_nothing_is_drawn_for_it() -> None:
    sampler = LowResSampler(
        np.zeros((4, 4, 4), np.uint8), 2, (2, 2, 2), Box.whole((2, 2, 2)), (1, 1, 1), CPU
    )
    random = torch.Generator().manual_seed(0)
    before = random.get_state()
    sampler.pair(torch.zeros(1, 3, dtype=torch.int64), random)
    assert torch.equal(before, random.get_state())


def test_random_patches_together_see_the_border_as_often_as_the_inside() -> None:
    labels = np.zeros((40, 8, 8), np.uint8)
    labels[:8] = labels[-8:] = 1  # as wide as a patch
    sampler = LowResSampler(labels, 2, (8, 8, 8), Box.whole((8, 8, 8)), (1, 1, 1), CPU)
    starts = sampler.random_starts(4000, torch.Generator().manual_seed(0))
    seen = sampler.patches(starts, Box.whole((8, 8, 8))).float().mean()
    assert abs(float(seen) - labels.mean()) < 0.1 * labels.mean()

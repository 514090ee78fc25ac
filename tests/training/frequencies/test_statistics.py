"""The frequencies of phases that meet: what is counted, wanted and pulled."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from skimage.measure import euler_number

from napari_superres.measures.kinds.interfaces import interface_areas
from napari_superres.measures.kinds.triple import triple_phase_boundaries
from napari_superres.training.frequencies import statistics
from napari_superres.training.frequencies.frequency_loss import FrequencyLoss, wanted_frequencies
from napari_superres.training.frequencies.statistics import (
    DISTANCES,
    euler_densities,
    frequencies,
    neighbour_frequencies,
    pair_frequencies,
    thin_frequencies,
    triple_frequencies,
)

PHASES = 3
FREE = {"turned": False, "mirrored": (False, False)}


def random_slice(rows: int = 24, columns: int = 17, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, PHASES, (rows, columns)).astype(np.uint8)


def one_hot(image: NDArray[np.uint8], phases: int = PHASES) -> torch.Tensor:
    labels = torch.from_numpy(image.astype(np.int64))
    return F.one_hot(labels, phases).movedim(-1, 0)[None].float()


def last_axis(slices_bnyx: torch.Tensor) -> torch.Tensor:
    return slices_bnyx.movedim(1, -1)


def test_a_ramp_has_pairs_in_one_direction_only() -> None:
    image = np.repeat(np.array([0, 0, 1, 1, 2, 2], np.uint8)[:, None], 6, 1)
    pairs = pair_frequencies(last_axis(one_hot(image)), 0, 1)
    assert pairs[0, 1] == pytest.approx(1 / 5)
    assert pairs[1, 0] == 0
    assert pair_frequencies(last_axis(one_hot(image)), 1, 1)[0, 1] == 0


def test_pairs_at_one_voxel_are_the_interface_areas() -> None:
    image = random_slice()
    down, along = (pair_frequencies(last_axis(one_hot(image)), way, 1) for way in (0, 1))
    rows, columns = image.shape
    faces_down, faces_along = (rows - 1) * columns, rows * (columns - 1)
    both = (down * faces_down + along * faces_along) / (faces_down + faces_along)
    areas = interface_areas(image, PHASES)
    assert float(both[0, 2] + both[2, 0]) == pytest.approx(areas[0, 2], rel=1e-5)


@pytest.mark.parametrize("phases", [3, 4])
def test_triples_in_a_slice_are_the_triple_phase_boundary_of_its_extrusion(phases: int) -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, phases, (9, 8)).astype(np.uint8)
    triples = triple_frequencies(last_axis(one_hot(image, phases)))
    volume = np.repeat(image[None], 2, 0)
    found = triple_phase_boundaries(volume, phases)
    edges_along_z, edges_y, edges_x = 2 * 8 * 7, 1 * 9 * 7, 1 * 8 * 8
    share = edges_along_z / (edges_along_z + edges_y + edges_x)
    straight = triple_phase_boundaries(volume, phases) / share
    assert len(triples) == len(found)
    # edges in the plane of an extrusion have two pairs of equal voxels: never three phases
    np.testing.assert_allclose(triples.numpy(), straight, rtol=1e-4)


def test_many_phases_are_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(1).integers(0, 6, (30, 20)).astype(np.uint8)
    whole = triple_frequencies(last_axis(one_hot(image, 6)))
    monkeypatch.setattr(statistics, "AT_ONCE", 5 * image.size)
    torch.testing.assert_close(triple_frequencies(last_axis(one_hot(image, 6))), whole)


def test_neighbours_alike_are_counted_for_each_pixel_inside() -> None:
    image = random_slice()
    found = neighbour_frequencies(last_axis(one_hot(image))).view(4, PHASES)
    counted = np.zeros((4, PHASES))
    for y, x in np.ndindex(image.shape[0] - 2, image.shape[1] - 2):
        around = image[[y, y + 2, y + 1, y + 1], [x + 1, x + 1, x, x + 2]]
        for phase in range(PHASES):
            here, alike = image[y + 1, x + 1] == phase, int((around == phase).sum())
            rows = {(True, 0): 0, (True, 1): 1, (False, 4): 2, (False, 3): 3}
            if (here, alike) in rows:
                counted[rows[here, alike], phase] += 1
    inside = (image.shape[0] - 2) * (image.shape[1] - 2)
    np.testing.assert_allclose(found.numpy(), counted / inside, atol=1e-6)


def test_sets_of_slices_in_one_go_are_counted_each_by_itself() -> None:
    sets = [one_hot(random_slice(seed=seed)) for seed in range(3)]
    together = frequencies(torch.stack(sets))
    for alone, of_set in zip(sets, together, strict=True):
        torch.testing.assert_close(frequencies(alone), of_set)


def test_specks_and_gaps_are_distinguished_from_thicker_parts() -> None:
    row = np.zeros(12, np.uint8)
    row[3] = row[6:8] = 1  # one voxel wide, and two
    image = np.repeat(row[None], 4, 0)
    near, far = (thin_frequencies(last_axis(one_hot(image, 2)), 1, d) for d in (1, 2))
    assert near.tolist() == pytest.approx([0, 1 / 10, 1 / 10, 0])
    # two apart: the three voxels of phase 1; of phase 0 only the one between 3 and 7
    assert far.tolist() == pytest.approx([1 / 8, 3 / 8, 3 / 8, 1 / 8])


@pytest.mark.parametrize("phase", range(PHASES))
def test_the_euler_density_is_parts_less_holes(phase: int) -> None:
    image = random_slice(20, 23)
    image[0] = image[-1] = image[:, 0] = image[:, -1] = (phase + 1) % PHASES
    found = euler_densities(last_axis(one_hot(image)))[phase] * 19 * 22
    assert float(found) == pytest.approx(euler_number(image == phase, connectivity=1), abs=1e-3)


def test_two_phases_have_no_triples() -> None:
    assert len(triple_frequencies(last_axis(one_hot(random_slice() % 2, 2)))) == 0


def test_mirrored_slices_want_the_same_frequency_both_ways() -> None:
    image = np.repeat(np.array([0, 0, 1, 1, 2, 2, 0, 0], np.uint8)[:, None], 8, 1)
    free = wanted_frequencies([image], PHASES, (1, 2), **FREE)[:9].view(3, 3)
    alike = wanted_frequencies([image], PHASES, (1, 2), turned=False, mirrored=(True, False))[:9]
    assert free[0, 1] > 0 == free[1, 0]
    assert alike.view(3, 3)[0, 1] == alike.view(3, 3)[1, 0] == free[0, 1] / 2


def test_turned_slices_want_the_same_frequencies_down_and_along() -> None:
    image = np.repeat(random_slice(18, 1), 18, 1)
    wanted = wanted_frequencies([image], PHASES, turned=True, mirrored=(False, False))
    down, along = wanted[: 2 * len(DISTANCES) * 9].view(2, -1)
    torch.testing.assert_close(down, along)


def test_larger_images_count_for_more() -> None:
    full = np.zeros((40, 20), np.uint8)
    other = np.ones((20, 20), np.uint8)
    wanted = wanted_frequencies([full, other], PHASES, **FREE)
    assert float(wanted[0]) == pytest.approx(2 / 3)


def test_images_too_small_to_hold_a_pair_are_left_out() -> None:
    image = random_slice()
    small = np.zeros((3, 9), np.uint8)
    with_small = wanted_frequencies([image, small], PHASES, **FREE)
    torch.testing.assert_close(with_small, wanted_frequencies([image], PHASES, **FREE))


def loss_against(image: NDArray[np.uint8]) -> FrequencyLoss:
    wanted = wanted_frequencies([image], PHASES, **FREE)
    return FrequencyLoss(torch.stack([wanted] * 3), PHASES)


def test_slices_as_wanted_cost_nothing() -> None:
    image = random_slice()
    assert float(loss_against(image)([one_hot(image)] * 3)) == pytest.approx(0, abs=1e-10)


def test_descending_the_loss_brings_the_frequencies() -> None:
    image = random_slice(32, 32)
    loss = loss_against(image)
    logits = torch.zeros(1, PHASES, 32, 32)
    logits[:, 0] = 0.1
    logits += 0.5 * torch.randn(logits.shape, generator=torch.Generator().manual_seed(0))
    logits.requires_grad_()
    optimiser = torch.optim.Adam([logits], 0.05)
    for _ in range(300):
        optimiser.zero_grad()
        loss([torch.softmax(logits, 1)] * 3).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    now = frequencies(one_hot(logits.argmax(1)[0].numpy().astype(np.uint8)))
    before = float((frequencies(one_hot(np.zeros((32, 32), np.uint8))) - loss.wanted[0]).norm())
    assert float((now - loss.wanted[0]).norm()) < 0.1 * before


def test_a_loss_goes_on_where_another_was_saved() -> None:
    image, other = random_slice(), random_slice(seed=1)
    first, second = loss_against(image), loss_against(image)
    first([one_hot(other)] * 3)
    second.load({name: value.clone() for name, value in first.state().items()})
    assert float(first([one_hot(image)] * 3)) == float(second([one_hot(image)] * 3))
    second.forget()
    assert float(second([one_hot(image)] * 3)) == pytest.approx(0, abs=1e-10)

"""Realisations by the symmetries of the material: turned, generated, turned back."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from napari_superres.config import GenerationSettings, TrainingSettings
from napari_superres.data.boxes import Box
from napari_superres.data.phases import phases_from_values
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.events import GenerationFinished
from napari_superres.generation.job import Job
from napari_superres.generation.render import generate_realisations, generate_volume
from napari_superres.generation.symmetry import (
    IDENTITY,
    Symmetry,
    symmetries_of,
    symmetry_of_seed,
)
from tests.generation.networks import low_res, mixed_generator

SHAPE = (7, 6, 9)
VOLUME = SegmentedVolume.from_labels(low_res(SHAPE), (0.4, 0.4, 0.4))
PHASES = phases_from_values(range(3))


def settings(**changes: object) -> TrainingSettings:
    values = {"scale_factor": 2, "phase_map": {0: 0, 1: 1, 2: 0}}
    return TrainingSettings.model_validate(values | changes)


ALL = symmetries_of(settings())


def job(seed: int = 0, symmetries: tuple[Symmetry, ...] = ALL, **changes: object) -> Job:
    asked = GenerationSettings(seed=seed, device="cpu", precision="float32", **changes)
    return Job(mixed_generator("2"), VOLUME, PHASES, asked, symmetries=symmetries)


def made(of: Job, output: Path | None = None) -> np.ndarray:
    *_, last = generate_volume(of, output)
    assert isinstance(last, GenerationFinished)
    return tifffile.imread(output) if output is not None else last.labels


def turned(labels: np.ndarray, symmetry: Symmetry) -> np.ndarray:
    return symmetry.turn(torch.from_numpy(labels.copy())).numpy()


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 48),
        ({"mirrors": "none"}, 24),
        ({"anisotropic": True}, 8),
        ({"anisotropic": True, "mirrors": "none"}, 1),
        ({"anisotropic": True, "mirrors": "z"}, 2),
        ({"anisotropic": True, "rotations": "z"}, 16),
        ({"anisotropic": True, "rotations": "z", "mirrors": "none"}, 4),
        ({"scale_factor": "4,2,2"}, 16),
        ({"scale_factor": "4,3,2", "mirrors": "none"}, 4),
    ],
)
def test_a_material_has_the_symmetries_that_its_settings_allow(
    changes: dict[str, object], count: int
) -> None:
    found = symmetries_of(settings(**changes))
    assert len(set(found)) == len(found) == count
    assert found[0] == IDENTITY
    assert all(one.then(other) in found for one, other in product(found, repeat=2))
    factors = settings(**changes).scale_factor
    assert all(tuple(factors[axis] for axis in one.order) == factors for one in found)


@pytest.mark.parametrize("symmetry", ALL, ids=str)
def test_a_box_of_the_turned_volume_is_the_turned_box(symmetry: Symmetry) -> None:
    labels = np.random.default_rng(0).integers(0, 200, SHAPE).astype(np.uint8)
    whole = turned(labels, symmetry)
    assert whole.shape == symmetry.shape(SHAPE)
    np.testing.assert_array_equal(symmetry.back(whole), labels)
    box = Box((1, 2, 3), (4, 6, 8))
    part = whole[symmetry.box(box, SHAPE).slices()]
    np.testing.assert_array_equal(symmetry.back(part), labels[box.slices()])


def test_one_symmetry_after_another_is_one_too() -> None:
    labels = np.random.default_rng(0).integers(0, 200, SHAPE).astype(np.uint8)
    for one, other in ((ALL[5], ALL[30]), (ALL[47], ALL[11])):
        np.testing.assert_array_equal(
            turned(turned(labels, one), other), turned(labels, one.then(other))
        )


@pytest.mark.parametrize("changes", [{}, {"mirrors": "none"}, {"anisotropic": True}])
def test_consecutive_seeds_have_every_symmetry_once(changes: dict[str, object]) -> None:
    known = symmetries_of(settings(**changes))
    found = [symmetry_of_seed(seed, known) for seed in range(len(known))]
    assert len(set(found)) == len(known)
    assert found[0] == IDENTITY
    assert symmetry_of_seed(2**31 - 1, known) in known


@pytest.mark.parametrize("seed", [1, 2, 17])
def test_a_realisation_is_that_of_the_turned_volume_turned_back(seed: int) -> None:
    symmetry = symmetry_of_seed(seed, ALL)
    assert symmetry != IDENTITY
    other = SegmentedVolume.from_labels(turned(VOLUME.labels, symmetry), VOLUME.voxel_size)
    plain = replace(job(seed, (IDENTITY,)), low_res=other)
    np.testing.assert_array_equal(made(job(seed)), symmetry.back(made(plain)))


def test_seed_0_and_no_symmetry_generate_as_ever() -> None:
    np.testing.assert_array_equal(made(job(0)), made(job(0, (IDENTITY,))))


@pytest.mark.parametrize("seed", [3, 4])
def test_tiles_and_regions_do_not_change_it(seed: int, tmp_path: Path) -> None:
    whole = made(job(seed, tile=16))
    np.testing.assert_array_equal(made(job(seed, tile=4)), whole)
    region = ((1, 6), (2, 5), (0, 7))
    part = made(job(seed, tile=4, region=region), tmp_path / "part.tif")
    values = np.array([phase.value for phase in PHASES], np.uint8)
    np.testing.assert_array_equal(part, values[whole[2:12, 4:10, 0:14]])


def test_a_periodic_axis_stays_the_one_that_was_asked_for() -> None:
    draws = [job(seed, periodic_axes=(0,)).draw(seed) for seed in range(48)]
    for draw in draws:
        along = [axis for axis, period in enumerate(draw.noise.period) if period is not None]
        assert [draw.symmetry.order[axis] for axis in along] == [0]
        assert draw.noise.period[along[0]] == SHAPE[0]


def test_a_held_region_stays_the_same_in_every_realisation() -> None:
    held = {"held_region": ((0, 7), (0, 6), (0, 8)), "held_seed": 5}
    first, second = made(job(1, **held)), made(job(2, **held))
    known = made(job(5))
    for one in (first, second):
        np.testing.assert_array_equal(one[:, :, :2], known[:, :, :2])
    assert (first != second).any()


def test_what_turned_a_realisation_is_told_in_its_file(tmp_path: Path) -> None:
    made(job(7), tmp_path / "one.tif")
    with tifffile.TiffFile(tmp_path / "one.tif") as file:
        assert str(symmetry_of_seed(7, ALL)) in str(file.imagej_metadata)


def test_realisations_are_those_of_their_seeds(tmp_path: Path) -> None:
    list(generate_realisations(job(3, tile=4), 3, tmp_path / "many"))
    values = np.array([phase.value for phase in PHASES], np.uint8)
    for seed in (3, 4, 5):
        one = tifffile.imread(tmp_path / "many" / f"seed-{seed}.tif")
        np.testing.assert_array_equal(one, values[made(job(seed))])

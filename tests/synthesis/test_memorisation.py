from __future__ import annotations

import numpy as np
import pytest

from napari_superres.synthesis.memorisation import Finder, memorisation

GREY = np.random.default_rng(0).integers(0, 256, (30, 41)).astype(np.uint8)
LABELS = GREY // 86


@pytest.mark.parametrize("way", range(8))
def test_a_copied_window_is_found_however_it_was_turned(way: int) -> None:
    window = GREY[5:17, 20:32]
    copy = np.rot90(window, way % 4)
    copy = copy[:, ::-1] if way >= 4 else copy
    near = Finder([GREY], 0, directed=False).nearest(copy)
    assert (near.row, near.column) == (5, 20)
    assert near.distance < 1e-6
    assert (near.window == copy).all()


def test_a_turned_window_is_not_looked_for_in_directed_material() -> None:
    near = Finder([GREY], 0, directed=True).nearest(np.rot90(GREY[5:17, 20:32]))
    assert near.distance > 0.1


def test_the_distance_of_phases_is_the_share_of_other_pixels() -> None:
    copy = LABELS[:12, :12].copy()
    copy[0, :6] = (copy[0, :6] + 1) % 3
    assert Finder([LABELS], 3, False).nearest(copy).distance == pytest.approx(6 / 144)


def test_the_nearest_of_several_parts_is_taken() -> None:
    other = np.random.default_rng(1).integers(0, 256, (20, 20)).astype(np.uint8)
    assert Finder([GREY, other], 0, False).nearest(other[3:15, 4:16]).part == 1


def test_copies_are_nearer_than_unseen_patches() -> None:
    copies = np.stack([GREY[:12, :12], GREY[9:21, 9:21]])
    unseen = np.random.default_rng(2).integers(0, 256, (3, 12, 12)).astype(np.uint8)
    found = memorisation(copies, [GREY], unseen, 0)
    assert found.ratio is not None
    assert found.ratio < 0.01


def test_without_unseen_patches_there_is_no_ratio() -> None:
    none = np.zeros((0, 12, 12), np.uint8)
    assert memorisation(GREY[None, :12, :12], [GREY], none, 0).ratio is None

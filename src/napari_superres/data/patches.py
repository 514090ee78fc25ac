"""Patches of images: windows on a grid, with whole regions held out. Geometry only.

Overlapping patches share pixels, so patches held out at random would be known
from their neighbours. Held out is therefore a whole strip of each image; no
training patch touches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_superres.errors import SettingsError, ShapeError

Shape = tuple[int, int]
Border = Literal["drop", "shift", "mirror"]


@dataclass(frozen=True)
class Region:
    """A rectangle of an image, in pixels, half open."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> Shape:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    def of(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the region's part of an image, a view."""
        return image[self.top : self.bottom, self.left : self.right]


def split(shape: Shape, held_out: float) -> tuple[Region, Region | None]:
    """Split an image into a region to train on and one to hold out.

    Parameters
    ----------
    shape : rows and columns
    held_out : share of the image, cut from the end of its longer side; 0 for none

    Raises
    ------
    SettingsError
        When the share is not at least 0 and below 1.
    """
    if not 0 <= held_out < 1:
        raise SettingsError(f"The held-out share is {held_out}.", "0 to below 1 is needed.")
    rows, columns = shape
    whole = Region(0, 0, rows, columns)
    if held_out == 0:
        return whole, None
    if rows > columns:
        cut = rows - round(rows * held_out)
        return Region(0, 0, cut, columns), Region(cut, 0, rows, columns)
    cut = columns - round(columns * held_out)
    return Region(0, 0, rows, cut), Region(0, cut, rows, columns)


@dataclass(frozen=True)
class PatchGrid:
    """How images are cut.

    Attributes
    ----------
    size : side of a patch in pixels
    stride : pixels from a patch to the next
    count : patches of each image, drawn from the grid; None for all
    border : what is done with a last patch that does not fit: drop it, shift it
        back to the edge, or fill it up with mirrored pixels
    """

    size: int
    stride: int
    count: int | None = None
    border: Border = "shift"

    @property
    def overlap(self) -> float:
        """Share of a patch's side that the next one covers too, 0 to 1."""
        return max(0.0, 1 - self.stride / self.size)

    @classmethod
    def choose(
        cls,
        size: int,
        stride: int | None = None,
        overlap: float | None = None,
        count: int | None = None,
        border: Border = "shift",
    ) -> PatchGrid:
        """Return a grid from a stride or an overlap; without either, stride = size / 8.

        Both, or one that is out of range, are a SettingsError.
        """
        if stride is not None and overlap is not None:
            raise SettingsError(
                f"A stride of {stride} and an overlap of {overlap} are given.",
                "Each follows from the other.",
                "Give one of them.",
            )
        if overlap is not None:
            if not 0 <= overlap < 1:
                raise SettingsError(f"The overlap is {overlap}.", "0 to below 1 is needed.")
            stride = max(1, round(size * (1 - overlap)))
        if stride is None:
            stride = max(1, size // 8)
        if stride < 1 or size < 1:
            raise SettingsError(
                f"The patches have size {size} and stride {stride}.", "At least 1 is needed."
            )
        return cls(size, stride, count, border)

    def starts(self, shape: Shape, seed: int = 0) -> NDArray[np.int64]:
        """Return (patches, 2) rows and columns where patches of an image begin.

        With the border policy "mirror" a patch may reach beyond the image.
        Where no patch fits, a ShapeError is raised.
        """
        rows, columns = (self._along(length) for length in shape)
        if not (len(rows) and len(columns)):
            raise ShapeError(
                f"An image or region of {shape[0]} × {shape[1]} pixels has no room for a patch "
                f"of {self.size} × {self.size}.",
                "Patches must fit.",
                "Take smaller patches, or hold out less.",
            )
        grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
        if self.count is not None and self.count < len(grid):
            kept = np.random.default_rng(seed).choice(len(grid), self.count, replace=False)
            grid = grid[np.sort(kept)]
        return grid

    def _along(self, length: int) -> NDArray[np.int64]:
        if length < self.size and self.border != "mirror":
            return np.zeros(0, np.int64)
        inside = np.arange(0, max(length - self.size, 0) + 1, self.stride)
        rest = max(length - self.size, 0) - int(inside[-1])
        if rest == 0 and length >= self.size:
            return inside
        if self.border == "shift":
            return np.append(inside, length - self.size)
        if self.border == "mirror" and length > self.size:
            return np.append(inside, inside[-1] + self.stride)
        return inside

    def describe(self, patches: int) -> str:
        """Say what is cut, stride and overlap both."""
        return (
            f"{patches} patches of {self.size} × {self.size}, stride {self.stride} "
            f"({self.overlap:.0%} overlap)"
        )


PAPER_GRID = PatchGrid(1024, 500)
"""Liu & Mukerji 2022, 2.3: a stride of 500, which is 51 % overlap, though the text says 70 %."""


def divide(shape: Shape, grid: PatchGrid, held_out: float) -> tuple[Region, Region | None]:
    """Split an image as `split` does; whole where the strip is too narrow for a patch."""
    learn, hold = split(shape, held_out)
    if hold is not None and min(hold.shape) >= grid.size:
        return learn, hold
    return Region(0, 0, *shape), None


@dataclass(frozen=True, eq=False)
class Patches:
    """Patches of several images, cut when asked for.

    Attributes
    ----------
    parts : images or regions of them, filled up where patches reach beyond
    places : (patches, 3) part, row and column where each begins
    size : side of a patch
    """

    parts: tuple[NDArray[np.uint8], ...]
    places: NDArray[np.int64]
    size: int

    def __len__(self) -> int:
        return len(self.places)

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return patches by their numbers, (indices, size, size) uint8."""
        found = np.empty((len(indices), self.size, self.size), np.uint8)
        for patch, (part, row, column) in zip(found, self.places[np.asarray(indices)], strict=True):
            patch[:] = self.parts[part][row : row + self.size, column : column + self.size]
        return found

    def spread(self, count: int) -> NDArray[np.uint8]:
        """Return at most `count` patches, evenly spread over all; none where there are none."""
        places = np.linspace(0, len(self) - 1, min(count, len(self)))
        return self.take(places.round().astype(np.int64))


def spread_over_both(training: Patches, held_out: Patches, count: int) -> NDArray[np.uint8]:
    """Return at most `count` patches, of training and held-out regions as large as these are."""
    areas = [sum(part.size for part in patches.parts) for patches in (training, held_out)]
    held = round(count * areas[1] / max(sum(areas), 1))
    return np.concatenate([training.spread(count - held), held_out.spread(held)])


def cut(regions: Sequence[NDArray[np.uint8]], grid: PatchGrid, seed: int = 0) -> Patches:
    """Return the patches of images or regions; ShapeError where one has no room for a patch."""
    parts, places = [], []
    for index, region in enumerate(regions):
        rows, columns = region.shape
        starts = grid.starts((rows, columns), seed + index)
        ends = starts.max(axis=0) + grid.size
        pads = [(0, max(0, int(end) - n)) for end, n in zip(ends, region.shape, strict=True)]
        parts.append(np.pad(region, pads, mode="symmetric") if np.any(pads) else region)
        places.append(np.insert(starts, 0, index, axis=1))
    found = np.concatenate(places) if places else np.zeros((0, 3), np.int64)
    return Patches(tuple(parts), found, grid.size)


def patches_of(
    images: Sequence[NDArray[np.uint8]], grid: PatchGrid, held_out: float = 0.0, seed: int = 0
) -> tuple[Patches, Patches]:
    """Return training and held-out patches; the held-out regions have a grid of their own.

    An image whose held-out strip is too narrow for a patch is trained on whole;
    at least one must have room.

    Raises
    ------
    ShapeError
        When no patch fits, or held-out regions have no room for one.
    """
    training, kept = [], []
    for image in images:
        rows, columns = image.shape
        learn, hold = divide((rows, columns), grid, held_out)
        training.append(learn.of(image))
        if hold is not None:
            kept.append(hold.of(image))
    if held_out > 0 and not kept:
        largest = max(max(image.shape) for image in images)
        raise ShapeError(
            f"The held-out share {held_out:g} of images up to {largest} pixels long has no "
            f"room for a patch of {grid.size} pixels.",
            "A held-out region holds at least one patch.",
            "Hold out more or nothing, or take smaller patches.",
        )
    return cut(training, grid, seed), cut(kept, grid, seed)

"""Regions of an image: the part to train on, and the strip to hold out. Geometry only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_superres.errors import SettingsError

Shape = tuple[int, int]


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

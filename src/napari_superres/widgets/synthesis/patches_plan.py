"""Which patches are cut from chosen images, before any pixel is read; no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.patches import PatchGrid, Region, divide, patches_of
from napari_superres.synthesis.settings import SynthesisSettings
from napari_superres.widgets.layers.images import Planes

MOST_DRAWN = 150
"""Rectangles drawn on a layer; more could not be told apart."""

Starts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ImagePlan:
    """What is cut from the images of one layer; all of them alike.

    Attributes
    ----------
    images : in the layer
    learn, hold : regions to train on and to hold out, None for none
    training, held_out : patches of each image
    drawn, drawn_held_out : (k, 2) rows and columns where patches begin that are
        worth drawing, in pixels of the image
    """

    images: int
    learn: Region
    hold: Region | None
    training: int
    held_out: int
    drawn: Starts
    drawn_held_out: Starts


@dataclass(frozen=True, eq=False)
class PatchPlan:
    """What is cut from all layers."""

    grid: PatchGrid
    layers: tuple[ImagePlan, ...]

    @property
    def training(self) -> int:
        """Patches to train on."""
        return sum(plan.images * plan.training for plan in self.layers)

    @property
    def held_out(self) -> int:
        """Patches that training never sees."""
        return sum(plan.images * plan.held_out for plan in self.layers)

    def describe(self) -> str:
        """Say what is cut, and how much of it is drawn."""
        drawn = sum(len(plan.drawn) + len(plan.drawn_held_out) for plan in self.layers)
        images = sum(plan.images for plan in self.layers)
        what = "1 image" if images == 1 else f"{images:,} images"
        text = f"{what}: {self.grid.describe(self.training)} to train on"
        text += f", {self.held_out:,} held out." if self.held_out else "; none held out."
        each = sum(plan.training + plan.held_out for plan in self.layers)
        return text if drawn >= each else f"{text} {drawn} of them are drawn."


def plan_patches(shapes: Sequence[Planes], settings: SynthesisSettings) -> PatchPlan:
    """Plan the patches of layers."""
    grid = settings.grid
    divided = [divide((rows, columns), grid, settings.held_out) for _, rows, columns in shapes]
    for learn, _ in divided:
        if grid.border != "mirror" and min(learn.shape) < grid.size:
            grid.starts(learn.shape)  # raises: it tells what does not fit
    if settings.held_out > 0 and all(hold is None for _, hold in divided):
        # raises: no region has room; the planes take no memory
        planes = [np.broadcast_to(np.uint8(0), shape[1:]) for shape in shapes]
        patches_of(planes, grid, settings.held_out)
    plans = []
    trained = kept = 0  # each image has random places of its own; the first of a layer is drawn
    for (images, _, _), (learn, hold) in zip(shapes, divided, strict=True):
        training, drawn = _cut(learn, grid, settings.seed + trained)
        held, drawn_held = 0, np.zeros((0, 2), np.int64)
        trained += images
        if hold is not None:
            held, drawn_held = _cut(hold, grid, settings.seed + kept)
            kept += images
        plans.append(ImagePlan(images, learn, hold, training, held, drawn, drawn_held))
    return PatchPlan(grid, tuple(plans))


def rectangles(starts: Starts, size: int) -> NDArray[np.float64]:
    """Return (k, 4, 2) corners of patches; a pixel reaches half a pixel around its index."""
    corners = np.array([[0, 0], [0, size], [size, size], [size, 0]], float) - 0.5
    return np.asarray(starts[:, None] + corners)


def outline(region: Region) -> NDArray[np.float64]:
    """Return (4, 2) corners of a region."""
    top, left, bottom, right = region.top, region.left, region.bottom, region.right
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]], float) - 0.5


def _cut(region: Region, grid: PatchGrid, seed: int) -> tuple[int, Starts]:
    """Return how many patches a region has, and where some of them begin."""
    rows, columns = region.shape
    every = replace(grid, count=None)
    # along one axis at a time: a fine grid on a large image has millions of places
    down = every.starts((rows, grid.size))[:, 0]
    across = every.starts((grid.size, columns))[:, 1]
    count = len(down) * len(across)
    corner = np.array([region.top, region.left])
    if grid.count is not None and grid.count < count:
        starts = grid.starts(region.shape, seed)
        chosen = np.linspace(0, len(starts) - 1, min(len(starts), MOST_DRAWN)).round()
        return len(starts), starts[np.unique(chosen.astype(np.int64))] + corner
    step = 1
    if count > MOST_DRAWN:  # side by side rather than a tangle
        step = max(math.ceil(math.sqrt(count / MOST_DRAWN)), math.ceil(grid.size / grid.stride))
    grids = np.meshgrid(_some(down, step), _some(across, step), indexing="ij")
    return count, np.stack(grids, -1).reshape(-1, 2) + corner


def _some(starts: Starts, step: int) -> Starts:
    """Return every `step`-th start, and the last, which shows what happens at the border."""
    kept = np.append(starts[::step], starts[-1])
    return np.unique(kept)

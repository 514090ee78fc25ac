"""A small picture of what a generator makes: three middle slices in the phases' colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.phases import PALETTE, Phase
from napari_superres.data.volumes import Labels

SIDE = 128
GAP = 4
PAPER = 255


def thumbnail(volume: Labels, phases: Sequence[Phase]) -> NDArray[np.uint8]:
    """Return the middle slices normal to z, y and x side by side.

    Parameters
    ----------
    volume : (Z, Y, X) phase indices
    phases : their colours

    Returns
    -------
    (rows, columns, 3) uint8
        Each slice enlarged by the same whole factor, so that pixels stay square.
    """
    colours = np.array([_rgb(phase, index) for index, phase in enumerate(phases)], np.uint8)
    z, y, x = (side // 2 for side in volume.shape)
    times = max(1, SIDE // max(volume.shape))
    slices = [
        colours[np.kron(image, np.ones((times, times), np.uint8))]
        for image in (volume[z], volume[:, y], volume[:, :, x])
    ]
    rows = max(image.shape[0] for image in slices)
    width = sum(image.shape[1] for image in slices) + GAP * (len(slices) - 1)
    sheet = np.full((rows, width, 3), PAPER, np.uint8)
    left = 0
    for image in slices:
        sheet[: image.shape[0], left : left + image.shape[1]] = image
        left += image.shape[1] + GAP
    return sheet


def _rgb(phase: Phase, index: int) -> tuple[int, ...]:
    text = (phase.colour or PALETTE[index % len(PALETTE)]).lstrip("#")
    return tuple(int(text[i : i + 2], 16) for i in (0, 2, 4))

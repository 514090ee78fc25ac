"""How images are split where frequencies are counted: by phase, or by level of grey.

Legend of shape suffixes: B images, C channels, K levels, Y X pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_superres.data.grey import GreySample, multi_otsu
from napari_superres.training.frequencies.frequency_loss import FrequencyLoss, wanted_frequencies
from napari_superres.training.frequencies.statistics import usable_distances

COUNT = 4
"""Levels of grey whose frequencies are counted."""


class GreyClasses:
    """The classes of grey values of some images, by Otsu's thresholds, found once."""

    def __init__(self, images: Sequence[NDArray[np.uint8]]) -> None:
        self._images = images
        self._middles: dict[int, NDArray[np.float64]] = {}

    def middles(self, count: int) -> NDArray[np.float64]:
        """Return the mean grey values of `count` classes, ascending.

        Fewer come back where the images have fewer values.
        """
        if count not in self._middles:
            self._middles[count] = self._find(count)
        return self._middles[count]

    def _find(self, count: int) -> NDArray[np.float64]:
        values = np.sort(np.concatenate([image.ravel() for image in self._images]))
        present = np.unique(values)
        if len(present) <= count:
            return present.astype(np.float64)
        thresholds = multi_otsu(GreySample(values, values.size), count)
        classes = np.split(values, np.searchsorted(values, thresholds, side="right"))
        return np.asarray([part.mean() for part in classes if part.size])


def palette(classes: GreyClasses, count: int) -> Tensor:
    """Return `count` levels, (count,) as −1 … 1, for a generator to mix grey values of."""
    middles = classes.middles(count)
    spread = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(middles)), middles)
    return torch.from_numpy(spread / 127.5 - 1).float()


class GreyLevels:
    """Splits grey values among a few levels, softly, so that there is a gradient.

    A value between the middles of two levels, (K,) ascending, belongs to both, in proportion.
    """

    def __init__(self, classes: GreyClasses) -> None:
        self.middles = classes.middles(COUNT)

    def __len__(self) -> int:
        return len(self.middles)

    def labels(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the number of the nearest level of each pixel."""
        halfway = (self.middles[1:] + self.middles[:-1]) / 2
        return np.digitize(image, halfway, right=True).astype(np.uint8)

    def shares(self, images_BCYX: Tensor) -> Tensor:
        """Return each pixel's share of each level, (B, K, Y, X), of (B, 1, Y, X) grey as −1 … 1."""
        middles = torch.from_numpy(self.middles).to(images_BCYX) / 127.5 - 1
        grey_BCYX = images_BCYX.clamp(float(middles[0]), float(middles[-1]))
        gaps = middles.diff()[:, None, None]
        # how far on the way from each level to the next
        on = ((grey_BCYX - middles[:-1, None, None]) / gaps).clamp(0, 1)
        ones = torch.ones_like(grey_BCYX)
        reached = torch.cat([ones, on], 1)
        return reached - torch.cat([on, torch.zeros_like(grey_BCYX)], 1)


class TextureLoss:
    """Matches the frequencies of generated images to the real ones; see `FrequencyLoss`.

    Images are uint8 grey values, of these `classes`, or indices of `phases`, 0 for grey values;
    generated ones have `size` pixels a side. `directed`: rotations and mirrors look different.
    """

    def __init__(
        self,
        images: Sequence[NDArray[np.uint8]],
        phases: int,
        size: int,
        *,
        directed: bool,
        device: torch.device,
        classes: GreyClasses,
    ) -> None:
        self.levels = None if phases else GreyLevels(classes)
        count = phases or len(self.levels or ())
        labels = [self.levels.labels(image) if self.levels else image for image in images]
        distances = usable_distances(size)
        wanted_S = wanted_frequencies(
            labels, count, distances, turned=not directed, mirrored=(not directed, not directed)
        )
        self.frequencies = FrequencyLoss(wanted_S[None].to(device), count, distances, every=1)

    def __call__(self, images_BCYX: Tensor) -> Tensor:
        """Return the loss, a scalar, of grey values as −1 … 1 or probabilities of phases."""
        parts = self.levels.shares(images_BCYX) if self.levels else images_BCYX
        return self.frequencies([parts])

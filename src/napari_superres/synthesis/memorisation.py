"""Are samples new, or memorised? The nearest real window of each sample.

Every place of the training images is compared, in all rotations and mirrors that
training shows; by FFT, so that no descriptor can miss one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The real window most like a sample.

    Attributes
    ----------
    distance : root mean square difference as a share of the grey range, or the
        share of pixels of another phase
    part, row, column : where the window begins
    way : rotation (0 to 3 quarter turns) and mirror (+ 4) that was applied to the sample
    window : the real pixels, rotated and mirrored back to the sample's orientation
    """

    distance: float
    part: int
    row: int
    column: int
    way: int
    window: Pixels


@dataclass(frozen=True, eq=False)
class Memorisation:
    """Distances of samples and of unseen patches to the training images; `unseen` may be empty."""

    samples: tuple[Nearest, ...]
    unseen: Floats

    @property
    def ratio(self) -> float | None:
        """Median distance of samples / of unseen patches; far below 1: memorised."""
        median = float(np.median(self.unseen)) if self.unseen.size else 0.0
        if median == 0:
            return None
        return float(np.median([near.distance for near in self.samples])) / median


def memorisation(
    samples: Pixels, parts: Sequence[Pixels], unseen: Pixels, phases: int, directed: bool = False
) -> Memorisation:
    """Look for every sample, and every unseen patch, in the training images.

    Parameters
    ----------
    samples, unseen : (count, rows, columns) grey values or phase indices
    parts : training images or regions
    phases : how many; 0 for grey values
    directed : do not look for rotated and mirrored windows
    """
    finder = Finder(parts, phases, directed)
    return Memorisation(
        tuple(finder.nearest(sample) for sample in samples),
        np.array([finder.nearest(patch).distance for patch in unseen]),
    )


class Finder:
    """Finds the nearest window of some images, (rows, columns) uint8; their spectra are kept."""

    def __init__(self, parts: Sequence[Pixels], phases: int, directed: bool) -> None:
        self.parts, self.phases = parts, phases
        self.ways = (0,) if directed else tuple(range(8))
        self.planes = [_planes(part, phases) for part in parts]
        self.spectra = [fft.rfft2(planes) for planes in self.planes]
        self._energies: dict[tuple[int, int], list[Floats]] = {}

    def nearest(self, sample: Pixels) -> Nearest:
        """Return the window of least distance."""
        best: tuple[float, int, int, int, int] | None = None
        for way in self.ways:
            turned = np.rot90(sample, way % 4)
            turned = turned[:, ::-1] if way >= 4 else turned
            for index, squares in enumerate(self._squares(turned)):
                place = int(np.argmin(squares))
                row, column = divmod(place, squares.shape[1])
                found = (float(squares[row, column]), index, row, column, way)
                best = found if best is None or found < best else best
        assert best is not None, "there is a part that holds a window"
        square, index, row, column, way = best
        rows, columns = sample.shape if way % 2 == 0 else sample.shape[::-1]
        window = self.parts[index][row : row + rows, column : column + columns]
        window = window[:, ::-1] if way >= 4 else window
        mean = max(square, 0.0) / sample.size
        distance = mean / 2 if self.phases else float(np.sqrt(mean))
        return Nearest(distance, index, row, column, way, np.rot90(window, -(way % 4)).copy())

    def _squares(self, sample: Pixels) -> list[Floats]:
        """Return the sum of squared differences at every place of each part."""
        planes = _planes(sample, self.phases)
        own = float((planes**2).sum())
        result = []
        energies = self._energy(sample.shape)
        for part, spectrum, energy in zip(self.planes, self.spectra, energies, strict=True):
            shape = part.shape[1:]
            product = (spectrum * fft.rfft2(planes, shape).conj()).sum(axis=0)
            places = tuple(n - m + 1 for n, m in zip(shape, sample.shape, strict=True))
            overlap = fft.irfft2(product, shape)[: places[0], : places[1]]
            result.append(energy - 2 * overlap + own)
        return result

    def _energy(self, shape: tuple[int, ...]) -> list[Floats]:
        rows, columns = shape
        if (rows, columns) not in self._energies:
            found = []
            for planes in self.planes:
                total = np.pad((planes**2).sum(axis=0), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
                found.append(
                    total[rows:, columns:]
                    - total[:-rows, columns:]
                    - total[rows:, :-columns]
                    + total[:-rows, :-columns]
                )
            self._energies[rows, columns] = found
        return self._energies[rows, columns]


def _planes(image: Pixels, phases: int) -> Floats:
    if phases == 0:
        return image[None] / 255.0
    return np.asarray(image == np.arange(phases)[:, None, None], np.float64)

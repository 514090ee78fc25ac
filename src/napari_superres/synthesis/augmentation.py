"""Adaptive discriminator augmentation, written from Karras et al. 2020b (appendix B, section 3).

Legend of shape suffixes: B images, C channels, Y X pixels, 33 matrices of
homogeneous pixel coordinates.

What is drawn: blit (mirror, quarter turns, whole shifts), geometry (scale,
rotations, stretch, fractional shift) and, for greyscale, brightness and contrast.
All of it is differentiable twice: R1 reaches through it.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_superres.synthesis.grid_sample import sample
from napari_superres.training import distributed

SHIFT = 0.125
"""Largest whole shift, and s.d. of the fractional one, as a share of the image."""
SCALE_SD = 0.2
"""S.d. of the binary logarithm of scale and stretch."""
BRIGHTNESS_SD, CONTRAST_SD = 0.2, 0.5

LOW_PASS = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
    0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
"""Symlet of 12 taps: orthogonal to its even shifts, so that no change gives the image back."""
TAPS = len(LOW_PASS)
OFFSET = TAPS // 2 - 1
"""Fine pixels cut off in front after doubling; `_half` begins as many earlier."""
DELAY = sum(n * tap for n, tap in enumerate(LOW_PASS)) / sum(LOW_PASS) - OFFSET
"""Fine pixels by which the filter, not quite symmetric, shifts an image beyond that."""


class Controller:
    """Adjusts the strength p so that the discriminator's r_t stays at its target.

    r_t = E[sign D(real)] (eq. 1): 0 where the discriminator knows real images no better
    than by chance, 1 where it is sure of each, the mark of overfitting. Meaningful for the
    logistic loss only. p begins at `start`, changes every so many batches, and can go from
    0 to 1 in `kimg` thousand images.
    """

    def __init__(
        self, target: float = 0.6, every: int = 4, kimg: float = 500.0, start: float = 0.0
    ) -> None:
        self.target, self.every, self.kimg, self.start = target, every, kimg, start
        self.forget()

    def forget(self) -> None:
        """Start again."""
        self.strength = self.start
        self.overfitting = 0.0
        self._signs = 0.0
        self._images = 0
        self._batches = 0

    def observe(self, logits_B: Tensor) -> None:
        """Count the discriminator's logits of a batch of real images."""
        signs = distributed.mean_over_ranks(logits_B.detach().sign().sum())
        self._signs += float(signs)
        self._images += len(logits_B)
        self._batches += 1
        if self._batches < self.every:
            return
        self.overfitting = self._signs / self._images
        step = self._images / (1000 * self.kimg)
        direction = (self.overfitting > self.target) - (self.overfitting < self.target)
        self.strength = min(max(self.strength + direction * step, 0.0), 1.0)
        self._signs, self._images, self._batches = 0.0, 0, 0

    def state(self) -> Tensor:
        """Return what `load` takes, (5,) float64."""
        return torch.tensor(
            [self.strength, self.overfitting, self._signs, self._images, self._batches],
            dtype=torch.float64,
        )

    def load(self, state: Tensor) -> None:
        """Load what `state` returned."""
        self.strength, self.overfitting, self._signs, images, batches = state.tolist()
        self._images, self._batches = int(images), int(batches)


class Augmentation:
    """The random changes of all images, real and generated, that the discriminator sees.

    `grey` images change in brightness and contrast too; `random` is on the CPU.
    """

    def __init__(self, grey: bool, random: torch.Generator) -> None:
        self.grey = grey
        self.random = random

    def __call__(self, images_BCYX: Tensor, strength: float) -> Tensor:
        """Return changed images; each change happens with probability `strength`."""
        if strength <= 0:
            return images_BCYX
        batch, _, rows, columns = images_BCYX.shape
        inverse_B33 = self.geometry(batch, (rows, columns), strength)
        images = resample(images_BCYX, inverse_B33.to(images_BCYX.device))
        return self._tone(images, strength) if self.grey else images

    def geometry(self, batch: int, shape: tuple[int, int], strength: float) -> Tensor:
        """Return matrices from places in the result to places in the source, centred, pixels."""
        rows, columns = shape
        eye = torch.eye(3).expand(batch, 3, 3)

        def now(matrix_B33: Tensor, probability: float) -> Tensor:
            chosen = self._uniform(batch) < probability
            return torch.where(chosen[:, None, None], matrix_B33, eye)

        mirror = torch.where(self._uniform(batch) < 0.5, -1.0, 1.0)
        inverse = now(_scaling(mirror, torch.ones(batch)), strength)
        turns = torch.floor(self._uniform(batch) * (4 if rows == columns else 1))
        inverse = inverse @ now(_rotation(turns * (math.pi / 2)), strength)
        shift = torch.stack(
            [torch.round((2 * self._uniform(batch) - 1) * SHIFT * size) for size in (columns, rows)]
        )
        inverse = inverse @ now(_translation(shift[0], shift[1]), strength)

        scale = torch.exp2(SCALE_SD * self._normal(batch))
        inverse = inverse @ now(_scaling(1 / scale, 1 / scale), strength)
        once = 1 - math.sqrt(1 - strength)  # two rotations: together as likely as one change
        inverse = inverse @ now(_rotation((2 * self._uniform(batch) - 1) * math.pi), once)
        stretch = torch.exp2(SCALE_SD * self._normal(batch))
        inverse = inverse @ now(_scaling(1 / stretch, stretch), strength)
        inverse = inverse @ now(_rotation((2 * self._uniform(batch) - 1) * math.pi), once)
        x, y = (self._normal(batch) * SHIFT * size for size in (columns, rows))
        return inverse @ now(_translation(x, y), strength)

    def _tone(self, images_BCYX: Tensor, strength: float) -> Tensor:
        batch = len(images_BCYX)
        brightness = BRIGHTNESS_SD * self._normal(batch)
        brightness = torch.where(self._uniform(batch) < strength, brightness, 0.0)
        contrast = torch.exp2(CONTRAST_SD * self._normal(batch))
        contrast = torch.where(self._uniform(batch) < strength, contrast, 1.0)
        device = images_BCYX.device
        shifted = images_BCYX + brightness.to(device)[:, None, None, None]
        return shifted * contrast.to(device)[:, None, None, None]

    def _uniform(self, batch: int) -> Tensor:
        return torch.rand(batch, generator=self.random)

    def _normal(self, batch: int) -> Tensor:
        return torch.randn(batch, generator=self.random)


def resample(images_BCYX: Tensor, inverse_B33: Tensor) -> Tensor:
    """Return images whose pixel at place q is the source at `inverse` · q, mirrored outside.

    Places are centred coordinates (x, y, 1) in pixels. Interpolated at twice the resolution
    between two low-pass filters (Karras et al. 2020b, appendix B): little aliasing, little blur.
    """
    _, _, rows, columns = images_BCYX.shape
    fine = _twice(images_BCYX)
    margin = TAPS // 2 + 1
    y, x = (
        (torch.arange(2 * size + 2 * margin).to(images_BCYX) - margin - DELAY) / 2 + (1 - size) / 2
        for size in (rows, columns)
    )
    places = torch.stack(
        [x.expand(len(y), -1), y[:, None].expand(-1, len(x)), torch.ones(len(y), len(x)).to(x)], -1
    )
    source = torch.einsum("bij,yxj->byxi", inverse_B33[:, :2].to(x), places)
    grid = (2 * source + DELAY - 0.5) / torch.tensor([columns, rows]).to(x)
    return _half(sample(fine, grid))


def _twice(images_BCYX: Tensor) -> Tensor:
    """Return exactly twice the resolution, filtered, mirrored at the edges."""
    batch, channels, rows, columns = images_BCYX.shape
    pad = TAPS // 2
    pads = [min(pad, size - 1) for size in (columns, rows)]
    x = F.pad(images_BCYX, (pads[0], pads[0], pads[1], pads[1]), mode="reflect")
    x = x.reshape(batch * channels, 1, *x.shape[2:])
    kernel = _kernel(x)
    for axis in (2, 3):
        shape = (1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1)
        stride = (2, 1) if axis == 2 else (1, 2)
        x = F.conv_transpose2d(x, kernel.reshape(shape), stride=stride)
    top, left = (2 * pads[1] + OFFSET, 2 * pads[0] + OFFSET)
    return x[..., top : top + 2 * rows, left : left + 2 * columns].reshape(
        batch, channels, 2 * rows, 2 * columns
    )


def _half(x_BCYX: Tensor) -> Tensor:
    """Filter and keep every second pixel; undoes `_twice` where nothing was changed."""
    batch, channels = x_BCYX.shape[:2]
    x = x_BCYX.reshape(batch * channels, 1, *x_BCYX.shape[2:])
    first = TAPS // 2 + 1 - OFFSET
    x = x[..., first:, first:]
    kernel = _kernel(x)
    x = F.conv2d(x, kernel.reshape(1, 1, -1, 1), stride=(2, 1))
    x = F.conv2d(x, kernel.reshape(1, 1, 1, -1), stride=(1, 2))
    rows, columns = ((size - 2 * (TAPS // 2 + 1)) // 2 for size in x_BCYX.shape[2:])
    return x[..., :rows, :columns].reshape(batch, channels, rows, columns)


def _kernel(like: Tensor) -> Tensor:
    return torch.tensor(LOW_PASS, device=like.device, dtype=like.dtype)


def _matrix(batch: int, **entries: Tensor) -> Tensor:
    matrix = torch.eye(3).repeat(batch, 1, 1)
    for place, values in entries.items():
        matrix[:, int(place[1]), int(place[2])] = values
    return matrix


def _scaling(x: Tensor, y: Tensor) -> Tensor:
    return _matrix(len(x), m00=x, m11=y)


def _rotation(angle: Tensor) -> Tensor:
    sine, cosine = torch.sin(angle), torch.cos(angle)
    return _matrix(len(angle), m00=cosine, m01=-sine, m10=sine, m11=cosine)


def _translation(x: Tensor, y: Tensor) -> Tensor:
    return _matrix(len(x), m02=x, m12=y)

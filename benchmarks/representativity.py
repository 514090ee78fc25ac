"""How often the 95 % interval of a phase fraction holds the truth, on generated materials.

python benchmarks/representativity.py            # the table of docs/measures.md, minutes
python benchmarks/representativity.py --number 10
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

from napari_superres.measures.kinds.representativity import representativity

Image = np.ndarray
Make = Callable[[int, np.random.Generator], Image]


def field(
    size: int, length: float, fraction: float, rng: np.random.Generator, power: float
) -> Image:
    """Cut a Gaussian random field of unit variance; `power` 0 for Gaussian covariance."""
    side = size + int(8 * length)
    waves = np.add.outer(np.fft.fftfreq(side) ** 2, np.fft.fftfreq(side) ** 2) * np.pi**2
    gain = (1 + 4 * waves * length**2) ** power if power else np.exp(-waves * length**2)
    noise = np.fft.fft2(rng.standard_normal((side, side)))
    values = np.fft.ifft2(noise * gain / np.sqrt(np.mean(gain**2))).real
    return (values < ndtri(fraction))[:size, :size].astype(np.uint8)


def discs(size: int, radius: float, fraction: float, rng: np.random.Generator) -> Image:
    """Draw a Boolean model of discs, half to once `radius`."""
    area = np.pi * radius**2 * (1 - 0.5**3) / 1.5
    side = size + 2 * radius
    number = rng.poisson(-np.log(1 - fraction) / area * side**2)
    image = np.zeros((size, size), np.uint8)
    places = np.arange(size)
    for y, x in rng.random((number, 2)) * side - radius:
        r = rng.uniform(radius / 2, radius)
        rows, columns = abs(places - y) <= r, abs(places - x) <= r
        near = (places[rows, None] - y) ** 2 + (places[columns] - x) ** 2 <= r**2
        image[np.ix_(rows, columns)] |= near
    return image


MATERIALS: dict[str, tuple[float, Make]] = {
    "field of length 4": (0.5, lambda size, rng: field(size, 4, 0.5, rng, 0)),
    "field of length 8": (0.2, lambda size, rng: field(size, 8, 0.2, rng, 0)),
    "field of length 12": (0.4, lambda size, rng: field(size, 12, 0.4, rng, 0)),
    "rough field of length 6": (0.35, lambda size, rng: field(size, 6, 0.35, rng, -0.75)),
    "discs of radius 12": (0.3, lambda size, rng: discs(size, 12, 0.3, rng)),
    "discs of radius 20": (0.6, lambda size, rng: discs(size, 20, 0.6, rng)),
    "discs of radius 8": (0.05, lambda size, rng: discs(size, 8, 0.05, rng)),
}


def coverage(size: int, images: int, number: int) -> list[float]:
    """Return the share of intervals that hold the truth, by material."""
    shares = []
    for index, (fraction, make) in enumerate(MATERIALS.values()):
        held = []
        for seed in range(number):
            rng = np.random.default_rng([index, size, images, seed])
            found = representativity([make(size, rng) for _ in range(images)], [1])
            held.append(found.low <= fraction <= found.high)
        shares.append(float(np.mean(held)))
    return shares


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=80, help="slices of each material")
    number = parser.parse_args().number
    print("| slices | number | held | " + " | ".join(MATERIALS) + " |")
    print("|---|---:|---:|" + "---:|" * len(MATERIALS))
    for size, images in ((96, 1), (128, 1), (192, 1), (256, 1), (384, 1), (128, 3)):
        shares = coverage(size, images, number)
        what = f"{'one' if images == 1 else images} of {size}²"
        each = " | ".join(f"{share:.1%}" for share in shares)
        print(f"| {what} | {number * len(shares)} | {np.mean(shares):.1%} | {each} |", flush=True)

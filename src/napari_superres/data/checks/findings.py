"""What a user should know of inputs that can be fused, each in one plain sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
import psutil
from numpy.typing import NDArray

from napari_superres.config import TrainingSettings
from napari_superres.data.boxes import Triple
from napari_superres.data.checks.representativity import fraction_error, fraction_interval
from napari_superres.data.pair import Pair
from napari_superres.data.phases import value_counts
from napari_superres.data.volumes import Labels, SegmentedSlices

UNALIKE = 0.02  # a smaller gap between fractions never matters
SURE = 3.0  # standard deviations from which a gap is not chance
RARE = 0.001  # fraction below which a phase may be a leftover of the segmentation
SKEWED = 0.15  # relative excess of boundaries along an axis
FEW_CROPS = 25  # whose area the slices hold
BLOCK = {2: 24, 3: 12}  # sides, larger than features: the scatter between blocks gives the error


@dataclass(frozen=True)
class Finding:
    """One thing to know: in order, worth a note, or worth changing the inputs for.

    Attributes
    ----------
    level : which of the three
    text : a sentence
    topic : what it is about, in a word or two; empty for none
    """

    level: Literal["ok", "note", "warning"]
    text: str
    topic: str = ""


def at_fractions(
    pair: Pair, lr_of_hr: NDArray[np.int64], settings: TrainingSettings
) -> Iterator[Finding]:
    """Compare each low-res phase's fraction with that of its high-res phases.

    Of two low-res phases only the second is compared: the first is what it leaves.
    """
    low_res, high_res = pair.low_res, pair.high_res
    images = high_res.images
    fine = _shares(images, len(high_res.phases))
    coarse = _shares([low_res.labels], len(low_res.phases))
    for index, phase in enumerate(low_res.phases):
        if index == 0 and len(low_res.phases) == 2:
            continue
        parts = np.flatnonzero(lr_of_hr == index).tolist()
        gap = float(fine[parts].sum() - coarse[index])
        sd_fine = fraction_error(images, parts)
        sd_gap = float(np.hypot(sd_fine, fraction_error([low_res.labels], [index])))
        names = " + ".join(high_res.phases[part].name for part in parts)
        alias = "" if names == phase.name else f" ({phase.name})"
        numbers = (
            f"{names}: {coarse[index] + gap:.2f} ± {_reach(coarse[index] + gap, sd_fine):.2f} "
            f"in HR, {coarse[index]:.2f} in LR{alias}"
        )
        # what may appear elsewhere gains in high-res, at the cost of the others
        gains = phase.value in settings.one_sided
        explained = bool(settings.one_sided) and (gap > 0) == gains
        if abs(gap) <= max(UNALIKE, SURE * sd_gap) or explained:
            yield Finding("ok", f"{numbers}.")
        else:
            what = "slice does" if len(images) == 1 else "slices do"
            yield Finding(
                "warning",
                f"{numbers}: the {what} not represent the volume, so the result cannot match both.",
            )


def _reach(fraction: float, sd: float) -> float:
    """Return half the 95 % interval of a fraction, no less than its last digit."""
    if not 0 < fraction < 1 or sd <= 0:
        return 0.01
    low, high = fraction_interval(fraction, sd)
    return max(0.01, (high - low) / 2)


def at_representativity(high_res: SegmentedSlices) -> Iterator[Finding]:
    """Report how far each fraction of the slices may be from the material's own."""
    images = high_res.images
    shares = _shares(images, len(high_res.phases))
    known = [index for index, share in enumerate(shares) if 0 < share < 1]
    parts = [
        f"{high_res.phases[index].name} {shares[index]:.2f} ± "
        f"{_reach(float(shares[index]), fraction_error(images, [index])):.2f}"
        for index in known
    ]
    if parts:
        yield Finding(
            "ok", f"Fractions told by the slices, at 95 % confidence: {', '.join(parts)}."
        )


def _shares(arrays: Sequence[Labels], n_phases: int) -> NDArray[np.float64]:
    counts = np.sum([value_counts(array) for array in arrays], axis=0)[:n_phases]
    return np.asarray(counts / counts.sum())


def at_rare_phases(pair: Pair) -> Iterator[Finding]:
    """Find phases so rare that they are more likely leftovers of the segmentation."""
    low_res, high_res = pair.low_res, pair.high_res
    images = high_res.images
    for where, arrays, phases in (
        ("low-res volume", [low_res.labels], low_res.phases),
        ("high-res slices", images, high_res.phases),
    ):
        for phase, part in zip(phases, _shares(arrays, len(phases)), strict=True):
            if part < RARE:
                yield Finding(
                    "warning",
                    f"{phase.name} (value {phase.value}) fills only {part:.1g} of the {where}: "
                    "too little to learn from, perhaps a leftover of the segmentation.",
                )


def at_directions(pair: Pair, settings: TrainingSettings) -> Iterator[Finding]:
    """Compare the numbers of boundaries along the axes of a material said to be isotropic."""
    low_res, high_res = pair.low_res, pair.high_res
    if high_res.anisotropic:
        return
    for name, verb, arrays, axes, step in (
        ("high-res slices", "look", high_res.sets[0], ("vertically", "horizontally"), (1, 1)),
        (
            "low-res volume",
            "looks",
            [low_res.labels],
            ("along z", "along y", "along x"),
            settings.scale_factor,
        ),
    ):
        density, error = boundary_density(arrays)
        density = density / np.array(step, float)
        most, least = int(np.argmax(density)), int(np.argmin(density))
        if density[least] == 0:
            continue
        excess = density[most] / density[least] - 1
        if excess > max(SKEWED, SURE * error):
            yield Finding(
                "warning",
                f"In the {name} there are {excess:.0%} more boundaries {axes[most]} than "
                f"{axes[least]}: the material looks anisotropic, and one set of slices "
                "would serve all its axes.",
            )
        else:
            yield Finding("ok", f"The {name} {verb} isotropic: {_alike(excess, error)}.")


def _alike(excess: float, error: float) -> str:
    return (
        f"boundaries differ between the axes by {excess:.0%}, where chance makes "
        f"{max(0.01, error):.0%}"
    )


def at_amount(high_res: SegmentedSlices, sides: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    """Say when slices are left out as too small, or hold little to learn from."""
    for axis, images in enumerate(high_res.sets):
        wanted = [sides[axis]] if high_res.anisotropic else list(sides)
        rows, columns = max(side[0] for side in wanted), max(side[1] for side in wanted)
        small = sum(image.shape[0] < rows or image.shape[1] < columns for image in images)
        where = f" normal to {'zyx'[axis]}" if high_res.anisotropic else ""
        if small:
            yield Finding(
                "warning",
                f"{small} of {len(images)} high-res slices{where} are smaller than a training "
                f"crop of {rows} × {columns} pixels and are left out.",
            )
        crops = sum(image.size for image in images) / (rows * columns)
        if crops < FEW_CROPS:
            yield Finding(
                "note",
                f"The high-res slices{where} hold the area of only {crops:.0f} training crops: "
                "what is generated will repeat them.",
            )


def at_voxel_sizes(pair: Pair, settings: TrainingSettings) -> Iterator[Finding]:
    """Say when voxel sizes are unknown, or the result's voxels are no cubes."""
    low_res, high_res = pair.low_res, pair.high_res
    if low_res.voxel_size is None:
        yield Finding(
            "note",
            "The low-res volume carries no voxel size: the scale factor could not be checked, "
            "and the result will carry none.",
        )
        return
    if high_res.voxel_size is None:
        yield Finding(
            "note",
            "The high-res slices carry no pixel size: the scale factor could not be checked.",
        )
    fine = [
        size / float(part)
        for size, part in zip(low_res.voxel_size, settings.scale_factor, strict=True)
    ]
    if not high_res.anisotropic and max(fine) > 1.05 * min(fine):
        yield Finding(
            "warning",
            f"The result's voxels of {fine[0]:.3g} × {fine[1]:.3g} × {fine[2]:.3g} µm are no "
            "cubes, but one set of slices serves all axes.",
        )


def at_result_size(shape: Triple) -> Finding:
    """Say how large the result will be, and whether it fits in memory."""
    n_bytes = prod(shape)
    text = (
        f"The whole super-res volume has {shape[0]} × {shape[1]} × {shape[2]} voxels, "
        f"{_bytes(n_bytes)}"
    )
    free = int(psutil.virtual_memory().available)
    if n_bytes < free / 2:
        return Finding("ok", f"{text}.")
    return Finding(
        "warning", f"{text}, with {_bytes(free)} of memory free: generate it part by part."
    )


def _bytes(count: int) -> str:
    return f"{count / 1e9:.2g} GB" if count >= 1e8 else f"{count / 1e6:.2g} MB"


def boundary_density(arrays: Sequence[Labels]) -> tuple[NDArray[np.float64], float]:
    """Return phase changes per voxel along each axis of 2D or 3D arrays of phase indices.

    And the standard deviation of the ratio between two axes, from the scatter between blocks.
    """
    blocks = np.concatenate([_per_block(array) for array in arrays])
    density = np.asarray(blocks.mean(axis=0))
    if len(blocks) < 4 or not density.any():
        return density, 1.0
    skew = (blocks - blocks.mean(axis=1, keepdims=True)) / density.mean()
    error = np.sqrt(2.0) * skew.std(axis=0, ddof=1).max() / np.sqrt(len(blocks))
    return density, float(error)


def _per_block(array: Labels) -> NDArray[np.float64]:
    """Return (blocks, axes) densities of changes; whole blocks only, one when there is none.

    Along an axis of one voxel there is nothing to meet.
    """
    inner = tuple(slice(0, max(1, size - 1)) for size in array.shape)
    columns = []
    for axis in range(array.ndim):
        shifted = list(inner)
        shifted[axis] = slice(min(1, array.shape[axis] - 1), None)
        changes = array[inner] != array[tuple(shifted)]
        sides = [min(BLOCK[array.ndim], size) for size in changes.shape]
        counts = [size // side for size, side in zip(changes.shape, sides, strict=True)]
        whole = changes[tuple(slice(0, n * side) for n, side in zip(counts, sides, strict=True))]
        split = [n for pair in zip(counts, sides, strict=True) for n in pair]
        within = tuple(range(1, 2 * array.ndim, 2))
        columns.append(whole.reshape(split).mean(axis=within, dtype=np.float64).ravel())
    return np.stack(columns, axis=1)

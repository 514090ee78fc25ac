"""The pair that is trained on: read, completed, named, and told to the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import typer

from napari_superres.cli import values
from napari_superres.config import TrainingSettings
from napari_superres.data.phases import default_phase_map
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import PhaseError, ScaleFactorError, SettingsError
from napari_superres.scale_factor import (
    ScaleFactor,
    format_scale_factor,
    parse_scale_factor,
    scale_factor_from_voxel_sizes,
)


def read_pair(
    low_res: Path,
    high_res: list[Path],
    anisotropic: bool,
    scale_factor: str | None,
    voxel_size: str | None,
) -> tuple[SegmentedVolume, SegmentedSlices, ScaleFactor]:
    """Read the inputs; what one of them does not tell of sizes comes from the other."""
    from napari_superres.data.files.segmented import read_slices, read_volume

    volume = read_volume(low_res)
    slices = read_slices(high_res, anisotropic=anisotropic)
    if voxel_size is not None:
        volume = replace(volume, voxel_size=values.parse_voxel_size(voxel_size))
    factor = choose_scale_factor(scale_factor, volume, slices)
    return with_voxel_size(volume, slices, factor), slices, factor


def with_phase_names(
    volume: SegmentedVolume,
    slices: SegmentedSlices,
    phase_map: Mapping[int, int],
    names: str | None,
) -> tuple[SegmentedVolume, SegmentedSlices]:
    """Return the pair with the phases named as `--phase-names` says; as it was without.

    A low-res phase is called what the high-res phases that belong to it are.

    Raises
    ------
    SettingsError
        Names for values that the slices do not have.
    """
    if names is None:
        return volume, slices
    by_value = values.parse_names(names, "--phase-names")
    known = [phase.value for phase in slices.phases]
    if strange := sorted(set(by_value) - set(known)):
        raise SettingsError(
            f"--phase-names names the values {_listed(strange)}.",
            f"The high-res values are {_listed(known)}.",
        )
    fine = tuple(
        replace(phase, name=by_value.get(phase.value, phase.name)) for phase in slices.phases
    )
    parts = {
        low: [phase.name for phase in fine if phase_map.get(phase.value) == low]
        for low in phase_map.values()
    }
    coarse = tuple(
        replace(phase, name=" + ".join(parts.get(phase.value, [phase.name])))
        for phase in volume.phases
    )
    return replace(volume, phases=coarse), replace(slices, phases=fine)


def show_inputs(
    volume: SegmentedVolume, slices: SegmentedSlices, settings: TrainingSettings
) -> list[str]:
    """Print what goes into a training and what should be known of it; return the latter."""
    from napari_superres.data.checks.inputs import check_inputs

    typer.echo(describe_inputs(volume, slices, settings))
    findings = check_inputs(volume, slices, settings).findings
    for finding in findings:
        typer.echo(f"{finding.level}: {finding.text}")
    return [finding.text for finding in findings]


def choose_scale_factor(
    text: str | None, volume: SegmentedVolume, slices: SegmentedSlices
) -> ScaleFactor:
    """Return the scale factor asked for, else the one that the voxel sizes imply.

    Raises
    ------
    ScaleFactorError
        When none is given and a voxel size is unknown, or it is out of range.
    """
    if text is not None:
        return parse_scale_factor(text)
    unknown = [item.name for item in (volume, slices) if item.voxel_size is None]
    if volume.voxel_size is None or slices.voxel_size is None:
        raise ScaleFactorError(
            f"No --scale-factor is given, and {' and '.join(unknown)} "
            f"{'carry' if len(unknown) > 1 else 'carries'} no voxel size.",
            "It is the low-res voxel size divided by the high-res voxel size.",
            "Write for example --scale-factor 4.",
        )
    return scale_factor_from_voxel_sizes(volume.voxel_size, slices.voxel_size)


def with_voxel_size(
    volume: SegmentedVolume, slices: SegmentedSlices, scale_factor: ScaleFactor
) -> SegmentedVolume:
    """Return a volume without a voxel size with the one that the slices imply."""
    if volume.voxel_size is not None or slices.voxel_size is None:
        return volume
    z, y, x = (
        float(factor) * size for factor, size in zip(scale_factor, slices.voxel_size, strict=True)
    )
    return replace(volume, voxel_size=(z, y, x))


def choose_phase_map(
    text: str | None, volume: SegmentedVolume, slices: SegmentedSlices
) -> dict[int, int]:
    """Return the phase map asked for, else the one by equal label values.

    Raises
    ------
    PhaseError
        When none is given and a high-res value is not among the low-res values.
    """
    if text is not None:
        return values.parse_pairs(text, "--phase-map")
    by_value = default_phase_map(slices.phases, volume.phases)
    if by_value is not None:
        return by_value
    high = [phase.value for phase in slices.phases]
    low = [phase.value for phase in volume.phases]
    example = ",".join(f"{value}:{value if value in low else low[0]}" for value in high)
    raise PhaseError(
        f"No --phase-map is given, and the high-res values {_listed(high)} are not all among "
        f"the low-res values {_listed(low)}.",
        "Each high-res value needs the low-res value it belongs to.",
        f"Write for example --phase-map {example}.",
    )


def describe_inputs(
    volume: SegmentedVolume, slices: SegmentedSlices, settings: TrainingSettings
) -> str:
    """Return three lines on what goes into a training."""
    images = [image for one_set in slices.sets for image in one_set]
    sizes = sorted({" × ".join(map(str, image.shape)) for image in images})
    pairs = ", ".join(f"{high}:{low}" for high, low in settings.phase_map.items())
    return (
        f"low-res   {volume.name}: {' × '.join(map(str, volume.shape))} voxels, "
        f"values {_listed([phase.value for phase in volume.phases])}\n"
        f"high-res  {slices.name}: {len(images)} of {', '.join(sizes)} pixels, "
        f"values {_listed([phase.value for phase in slices.phases])}\n"
        f"scale factor {format_scale_factor(settings.scale_factor)}, {settings.imaging} imaging, "
        f"phase map {pairs}, preset {settings.preset}, seed {settings.seed}"
    )


def _listed(values: list[int]) -> str:
    return "(" + ", ".join(map(str, values)) + ")"

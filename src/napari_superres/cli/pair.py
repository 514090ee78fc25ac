"""The pair to train on: read, completed, named and shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from napari_superres.cli import values
from napari_superres.config import TrainingSettings
from napari_superres.data.pair import Pair
from napari_superres.data.phases import listed
from napari_superres.errors import PhaseError, ScaleFactorError, SettingsError
from napari_superres.scale_factor import ScaleFactor, parse_scale_factor

if TYPE_CHECKING:
    from napari_superres.data.checks.inputs import InputReport


def read_pair(
    low_res: Path,
    high_res: list[Path],
    anisotropic: bool,
    scale_factor: str | None,
    voxel_size: str | None,
) -> tuple[Pair, ScaleFactor]:
    """Read the inputs; a low-res voxel size that is not given follows from the slices'."""
    from napari_superres.data.files.segmented import read_slices, read_volume

    volume = read_volume(low_res)
    slices = read_slices(high_res, anisotropic=anisotropic)
    if voxel_size is not None:
        volume = replace(volume, voxel_size=values.parse_voxel_size(voxel_size))
    pair = Pair(volume, slices)
    factor = choose_scale_factor(scale_factor, pair)
    return pair.with_voxel_size(factor), factor


def with_phase_names(pair: Pair, phase_map: dict[int, int], names: str | None) -> Pair:
    """Return the pair with the phases named as `--phase-names` says."""
    if names is None:
        return pair
    by_value = values.parse_names(names, "--phase-names")
    known = [phase.value for phase in pair.high_res.phases]
    if strange := sorted(set(by_value) - set(known)):
        raise SettingsError(
            f"--phase-names names the values {listed(strange)}.",
            f"The high-res values are {listed(known)}.",
        )
    return pair.with_phase_names(by_value, phase_map)


def show_inputs(pair: Pair, settings: TrainingSettings) -> InputReport:
    """Print what goes into a training and the findings on it; return the report."""
    from napari_superres.data.checks.inputs import check_inputs  # slow to load

    typer.echo(pair.describe(settings))
    report = check_inputs(pair, settings)
    for finding in report.findings:
        typer.echo(f"{finding.level}: {finding.text}")
    return report


def choose_scale_factor(text: str | None, pair: Pair) -> ScaleFactor:
    """Return the scale factor asked for, else the one that the voxel sizes imply."""
    implied = parse_scale_factor(text) if text is not None else pair.implied_scale_factor
    if implied is not None:
        return implied
    unknown = [item.name for item in (pair.low_res, pair.high_res) if item.voxel_size is None]
    raise ScaleFactorError(
        f"No --scale-factor is given, and {' and '.join(unknown)} "
        f"{'carry' if len(unknown) > 1 else 'carries'} no voxel size.",
        "It is the low-res voxel size divided by the high-res voxel size.",
        "Write for example --scale-factor 4.",
    )


def choose_phase_map(text: str | None, pair: Pair) -> dict[int, int]:
    """Return the phase map asked for, else the one by equal label values."""
    if text is not None:
        return values.parse_pairs(text, "--phase-map")
    if (by_value := pair.default_phase_map) is not None:
        return by_value
    high = [phase.value for phase in pair.high_res.phases]
    low = [phase.value for phase in pair.low_res.phases]
    example = ",".join(f"{value}:{value if value in low else low[0]}" for value in high)
    raise PhaseError(
        f"No --phase-map is given, and the high-res values {listed(high)} are not all among "
        f"the low-res values {listed(low)}.",
        "Each high-res value needs the low-res value it belongs to.",
        f"Write for example --phase-map {example}.",
    )

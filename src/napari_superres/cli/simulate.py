"""`simulate-low-res`: what a coarser instrument would have seen of a volume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_superres.cli import options, values
from napari_superres.config import ImagingModel
from napari_superres.data.files.output import TIFF, check_writable
from napari_superres.errors import OutputError
from napari_superres.scale_factor import format_scale_factor, parse_scale_factor


def simulate_low_res(
    file: Annotated[Path, typer.Argument(metavar="F", help="Segmented high-res volume.")],
    scale_factor: Annotated[
        str, typer.Option("--scale-factor", metavar="S", help="How much coarser: 4, 8/5 or 4,2,2.")
    ],
    merge: Annotated[
        str | None,
        typer.Option(
            "--merge",
            metavar="FROM:TO,...",
            help="Phases that the coarse instrument cannot tell apart: 2:0 sees value 2 as 0.",
        ),
    ] = None,
    imaging: options.Imaging = ImagingModel.BLURRED,
    blur_kernel: options.BlurKernel = None,
    blur_sd: options.BlurSd = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="F", help="File to write, .tif. Left out: NAME-low-res.tif."
        ),
    ] = None,
) -> None:
    """Merge phases, blur and down-sample a high-res volume into a low-res one."""
    from napari_superres.data.examples.simulate import simulate_low_res as simulate
    from napari_superres.data.files.segmented import read_volume
    from napari_superres.data.files.tiff import write_labels_tiff

    target = file.with_name(f"{file.stem}-low-res.tif") if output is None else output
    check_writable(target)
    if target.suffix.lower() not in TIFF:
        raise OutputError(
            f"{target.name} ends in {target.suffix or 'nothing'}.", "A .tif file is written."
        )
    factor = parse_scale_factor(scale_factor)
    pairs = values.parse_pairs(merge, "--merge") if merge else {}
    volume = read_volume(file)
    phase_map = {phase.value: phase.value for phase in volume.phases} | pairs
    low_res = simulate(volume, factor, phase_map, imaging, blur_kernel, blur_sd)
    write_labels_tiff(
        target,
        low_res.values,
        voxel_size=low_res.voxel_size,
        phases=low_res.phases,
        provenance={
            "simulated from": file.name,
            "scale factor": format_scale_factor(factor),
            "imaging": str(imaging),
        },
    )
    shape = " × ".join(map(str, low_res.shape))
    typer.echo(f"{target}: {shape} voxels, values {[phase.value for phase in low_res.phases]}")

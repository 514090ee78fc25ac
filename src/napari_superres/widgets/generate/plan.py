"""What a generation will give and need, its checkpoints and its files; no Qt, no torch."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import psutil

from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box
from napari_superres.generation.tiles import result_box
from napari_superres.widgets.parts.paths import KINDS, Target
from napari_superres.widgets.run.fusion import FusionRun
from napari_superres.words import sizes

MAPS = 3  # most likely phase, agreement, entropy
WHILE_WRITTEN = {".zarr": 0.4, ".tif": 1.3, ".tiff": 1.3}
"""Bytes of disk for each voxel while a file is written: a TIFF file is first kept plain."""
IN_MEMORY = 2  # the labels, and the labels as they are shown


def generated_box(run: FusionRun, settings: GenerationSettings) -> Box:
    """Return the high-res voxels that are generated."""
    return result_box(
        run.low_res_shape, run.scale_factor, settings.region, crop_border=settings.crop_border
    )


def start_of(run: FusionRun, settings: GenerationSettings) -> tuple[Fraction, Fraction, Fraction]:
    """Return where the result starts in low-res voxels from the volume's corner, zyx."""
    z, y, x = (
        first / factor
        for first, factor in zip(generated_box(run, settings).start, run.scale_factor, strict=True)
    )
    return z, y, x


def plan_text(
    run: FusionRun,
    settings: GenerationSettings,
    target: Target | None = None,
    free_memory: int | None = None,
) -> str:
    """Return the size of the results and the room for them; free memory is asked for where None."""
    target = target or Target()
    box = generated_box(run, settings)
    times = f"{target.count} × " if target.count > 1 else ""
    size = f"Gives {times}{sizes(box.shape)} voxels"
    if target.output is None:
        return f"{size}, {_memory_text(box.size * target.count, free_memory)}"
    volumes = target.count + (MAPS if target.count > 1 else 0)
    needed = int(box.size * volumes * WHILE_WRITTEN[target.output.suffix.lower()])
    free = free_disk(target.output)
    if free is None:
        return f"{size}. There is no folder {target.output.parent}."
    they = "they are" if volumes > 1 else "it is"
    text = f"{size}, {room(needed)} of disk while {they} written; {room(free)} are free."
    return text if needed < free else f"{text} <b>That is too little.</b>"


def _memory_text(voxels: int, free: int | None) -> str:
    free = int(psutil.virtual_memory().available) if free is None else free
    text = f"{room(voxels * IN_MEMORY)} of memory; {room(free)} are free."
    if voxels * IN_MEMORY > free // 2:
        text += " <b>Better write it to disk.</b>"
    return text


def room(n_bytes: int) -> str:
    """Return a number of bytes in MiB or GiB."""
    megabytes = n_bytes / 2**20
    if megabytes < 1:
        return "less than 1 MiB"
    return f"{megabytes:.0f} MiB" if megabytes < 1024 else f"{megabytes / 1024:.1f} GiB"


def free_disk(output: Path) -> int | None:
    """Return the free bytes where a file would be written, None without that folder."""
    try:
        return shutil.disk_usage(output.parent).free
    except OSError:
        return None


def checkpoint_names(run_folder: Path) -> list[str]:
    """Return the names of a run's checkpoints: best, last, then steps, latest first.

    Those that a roll-back discarded have names such as "560-left".
    """
    found = re.compile(r"(left-)?step-(\d+)(?:-(\d+))?")
    try:
        matches = [found.fullmatch(path.name) for path in (run_folder / "checkpoints").iterdir()]
    except OSError:
        matches = []
    parts = [match.groups() for match in matches if match and (match[1] or not match[3])]
    parts.sort(key=lambda part: (-int(part[1]), part[0] or "", part[2] or ""))
    names = [
        f"{int(step)}" + (f"-left{number or ''}" if left else "") for left, step, number in parts
    ]
    return ["best", "last", *names]


def holds_realisations(output: Path) -> bool:
    """Whether the folder of that name holds finished realisations; unfinished ones are resumed."""
    return (output.with_suffix("") / "spread.json").exists()


def result_files(path: Path, seeds: Iterable[int], kind: str) -> list[Path]:
    """Return the files of a result: itself, or its volumes and maps in the folder of realisations.

    The most likely phases come last, so that they lie on top. Other files in the folder
    may be of another region, and are not opened. `kind` is the ending of the files.
    """
    if path.suffix.lower() in KINDS:
        return [path]
    names = ("agreement", "entropy", *(f"seed-{seed}" for seed in seeds), "most-likely")
    files = [path / f"{name}{kind}" for name in names]
    return [file for file in files if file.exists()]

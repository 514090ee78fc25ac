"""Stacks of images written as one TIFF, or as numbered PNG files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.files.output import TIFF, check_writable, make_folder, written_whole
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.phases import Phase
from napari_superres.errors import OutputError


def check_place(path: Path, n_bytes: int = 0) -> None:
    """Check, before images are made, that `write_images` can write them.

    Parameters
    ----------
    path : a .tif file, or a folder
    n_bytes : room that a file needs

    Raises
    ------
    OutputError
        It is of another kind, or cannot be written.
    """
    if path.suffix.lower() in TIFF:
        check_writable(path, n_bytes)
    elif path.suffix or path.is_file():
        raise OutputError(
            f"{path.name} ends in {path.suffix}." if path.suffix else f"{path} is a file.",
            "A .tif file, or a folder for PNG files, is needed.",
        )


def write_images(
    path: Path,
    images: NDArray[np.uint8],
    phases: tuple[Phase, ...] = (),
    pixel_size: float | None = None,
    provenance: Mapping[str, str] | None = None,
) -> None:
    """Write images.

    Parameters
    ----------
    path : a .tif file, or a folder (made if it is not there) for image-0000.png …
    images : (count, rows, columns) grey values or label values
    phases : named in the TIFF; empty for grey values
    pixel_size : µm

    Raises
    ------
    OutputError
        It cannot be written, or is a file of another kind.
    """
    check_place(path)
    if path.suffix.lower() in TIFF:
        size = None if pixel_size is None else (pixel_size,) * 3
        write_labels_tiff(path, images, voxel_size=size, phases=phases, provenance=provenance)
        return
    from PIL import Image

    make_folder(path)
    for index, image in enumerate(images):
        with written_whole(path / f"image-{index:04d}.png") as temporary:
            Image.fromarray(image).save(temporary, format="PNG")

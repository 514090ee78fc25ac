"""The copies of its inputs that a run keeps, checked when they are read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from napari_superres.data.tiff import read_tiff
from napari_superres.data.volumes import Labels
from napari_superres.errors import RunFolderError

VOLUME = "low_res.tif"


def read_input(run: Path, name: str, known_hash: str | None) -> Labels:
    """Return the values of a kept image, (rows, columns), or of the kept volume.

    Parameters
    ----------
    run : folder of the run
    name : of the file in inputs/
    known_hash : SHA-256 of the values as they were kept; None where it was not noted

    Raises
    ------
    FileError
        It is missing, truncated or damaged.
    RunFolderError
        It is another image than the one that was kept.
    """
    file = run / "inputs" / name
    array, _ = read_tiff(file)
    if name == VOLUME and array.ndim == 2:
        array = array[None]  # a volume of one plane is an image to a TIFF
    changed = array.dtype != np.uint8 or array.ndim != (3 if name == VOLUME else 2)
    if changed or known_hash not in (None, hashlib.sha256(array.tobytes()).hexdigest()):
        raise RunFolderError(
            f"{file} has changed since the run was made.",
            "The run's own copy of its input is needed.",
            "Restore it from a copy.",
        )
    return array.astype(np.uint8, copy=False)

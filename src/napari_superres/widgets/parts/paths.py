"""Paths: as typed, as proposed, and where results go; no Qt."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from napari_superres.errors import SettingsError

KINDS = (".tif", ".tiff", ".zarr")
"""Endings of the files that hold volumes."""
TARGETS = (
    ("In memory, as a layer", ""),
    ("On disk, OME-Zarr: any size", ".zarr"),
    ("On disk, TIFF", ".tif"),
)
"""Where results may go: text, and ending of the file."""
FILTERS = {".zarr": "OME-Zarr (*.zarr)", ".tif": "TIFF (*.tif *.tiff)"}
"""Of the dialog for a file, by its ending."""


def typed_path(text: str) -> Path:
    """Return a path of which "~" is the home folder.

    Unlike pathlib's own, it takes the "~" of an unknown user as a name: this is called at
    every letter that a person types.
    """
    return Path(os.path.expanduser(text.strip()))


def free_path(path: Path, taken: Callable[[Path], bool] = Path.exists) -> Path:
    """Return a path that is not taken: itself, or with a number, such as a-2.zarr."""
    if not taken(path):
        return path
    names = (f"{path.stem}-{number}{path.suffix}" for number in itertools.count(2))
    return next(one for one in map(path.with_name, names) if not taken(one))


def with_kind(path: Path, kind: str) -> Path:
    """Return a file's path with the ending of the kind chosen in a dialog, if it has none.

    Parameters
    ----------
    kind : such as "SVG (*.svg)"; empty where the dialog names none
    """
    ending = kind.partition("(*")[2].rstrip(")")
    return path if path.suffix else path.with_name(path.name + ending)


@dataclass(frozen=True)
class Target:
    """Where results go.

    Attributes
    ----------
    count : realisations, with seeds one after the other
    output : file to write, or None to keep the volumes in memory; several
        realisations go to the folder of that name without its ending
    """

    count: int = 1
    output: Path | None = None

    @property
    def place(self) -> Path | None:
        """The file or folder that will be there."""
        if self.output is None or self.count == 1:
            return self.output
        return self.output.with_suffix("")


def target_of(count: int, kind: str, text: str) -> Target:
    """Return where results go; SettingsError where no file is named, or one of another kind.

    Parameters
    ----------
    count : realisations
    kind : .tif or .zarr; empty for memory
    text : path that was typed; its ending may be left out
    """
    if not kind:
        return Target(count)
    if not text.strip():
        raise SettingsError("No file is named.", "Results on disk need one.", "Choose a file.")
    path = typed_path(text)
    if not path.name:
        raise SettingsError(f"{text.strip()} names a folder.", "A file is needed.", "Add its name.")
    if path.suffix.lower() not in KINDS:
        path = path.with_name(path.name + kind)
    if (path.suffix.lower() == ".zarr") != (kind == ".zarr"):
        raise SettingsError(
            f"{path.name} is no {kind} file.", "", f"Write {path.with_suffix(kind).name}."
        )
    return Target(count, path)

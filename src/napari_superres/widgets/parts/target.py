"""Where a result is written: kinds of files, and the file that was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_superres.errors import SettingsError
from napari_superres.widgets.parts.paths import typed_path

KINDS = (".tif", ".tiff", ".zarr")


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
    """Return where results go, from what the dials say.

    Parameters
    ----------
    count : realisations
    kind : .tif or .zarr; empty for memory
    text : path that was typed; its ending may be left out

    Raises
    ------
    SettingsError
        No file is named, or one of another kind.
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

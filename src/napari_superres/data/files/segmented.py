"""Reading segmented volumes and slices from files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.files.reading import check_regular, read_npy
from napari_superres.data.files.tiff import read_tiff
from napari_superres.data.files.tiff_metadata import TiffMetadata
from napari_superres.data.phases import Phase, value_counts
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume, VoxelSize
from napari_superres.errors import FileError, ShapeError

FilePath = str | Path
Read = tuple[NDArray[np.generic], TiffMetadata]


def read_volume(path: FilePath, phases: Sequence[Phase] | None = None) -> SegmentedVolume:
    """Read a segmented volume.

    Parameters
    ----------
    path : a TIFF (ImageJ, OME or plain), .npy file or OME-Zarr folder, axes z, y, x
    phases : the phases to expect; None for those the file names, else the values
        that are present

    Raises
    ------
    FileError
        Missing, empty, truncated, damaged or of an unknown kind.
    NotSegmentedError, ShapeError, PhaseError
        As for `SegmentedVolume.from_labels`.
    """
    file = Path(path)
    array, metadata = read_known(file, _READERS)
    volume = SegmentedVolume.from_labels(
        array, metadata.voxel_size, _phases(phases, [(array, metadata)]), file.name
    )
    return replace(volume, name=_stem(file))


def read_slices(
    paths: Sequence[FilePath] | FilePath,
    anisotropic: bool = False,
    phases: Sequence[Phase] | None = None,
) -> SegmentedSlices:
    """Read segmented high-res slices.

    Parameters
    ----------
    paths : files of an image or of a stack of images each. Isotropic: all of them
        make one set. Anisotropic: exactly three, of the planes normal to z, y, x
    anisotropic : whether the material differs between axes
    phases : the phases to expect; None for those the files name, else the values
        that are present in any of them

    Raises
    ------
    FileError, NotSegmentedError, PhaseError
        As for `read_volume`.
    ShapeError
        No file, not three for an anisotropic material, images without two axes,
        or files of different pixel sizes.
    """
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if anisotropic and len(files) != 3:
        raise ShapeError(
            f"There {'is 1 file' if len(files) == 1 else f'are {len(files)} files'} "
            "of high-res slices.",
            "An anisotropic material needs three: planes normal to z, y and x.",
            "Name a file for each axis, the same one where two axes are alike.",
        )
    if not files:
        raise ShapeError("There is no file of high-res slices.", "At least one is needed.")
    read = [read_known(file, _READERS) for file in files]
    arrays = [array for array, _ in read]
    name = ", ".join(dict.fromkeys(file.name for file in files))
    slices = SegmentedSlices.from_labels(
        [[array] for array in arrays] if anisotropic else [arrays],
        _slice_voxel_size(files, [metadata for _, metadata in read], anisotropic),
        _phases(phases, read),
        name,
    )
    return replace(slices, name=_stem(files[0]))


def read_known(file: Path, readers: Mapping[str, Callable[[Path], Read]]) -> Read:
    """Read a file by its ending, after checking that there is something in it."""
    reader = next((r for ending, r in readers.items() if file.name.lower().endswith(ending)), None)
    try:
        if not file.exists():
            raise FileError(f"There is no file {file}.", "", "Check the path.")
        if reader is None:
            raise FileError(
                f"{file.name} is {'a folder' if file.is_dir() else 'of an unknown kind'}.",
                f"One of {', '.join(readers)} is needed.",
                "Export it as TIFF.",
            )
        if not file.is_dir():
            check_regular(file)
        if file.is_file() and file.stat().st_size == 0:
            raise FileError(
                f"{file.name} is empty, 0 bytes.",
                "A file with an image is needed.",
                "Copy or export it again.",
            )
        return reader(file)
    except OSError as error:
        raise FileError(
            f"{file} cannot be read: {error.strerror or error}.",
            "",
            "Check the path and its permissions.",
        ) from error


def _read_npy(file: Path) -> Read:
    return read_npy(file), TiffMetadata()


def _read_zarr(folder: Path) -> Read:
    from napari_superres.data.files.ome_zarr import open_pyramid, read_whole

    pyramid = open_pyramid(folder)
    metadata = TiffMetadata(pyramid.voxel_size, pyramid.offset, pyramid.phases, pyramid.provenance)
    return read_whole(folder.name, pyramid.levels[0]), metadata


ARRAYS: Mapping[str, Callable[[Path], Read]] = {
    ".tif": read_tiff,
    ".tiff": read_tiff,
    ".npy": _read_npy,
}
"""Readers of arrays in a file, by its ending."""
_READERS = {**ARRAYS, ".zarr": _read_zarr}


def _phases(given: Sequence[Phase] | None, read: Sequence[Read]) -> Sequence[Phase] | None:
    """Return the phases given, else those the files name if they name every value."""
    if given is not None:
        return given
    named = {phase.value: phase for _, metadata in reversed(read) for phase in metadata.phases}
    if not named or any(array.dtype != np.uint8 for array, _ in read):
        return None
    counts = sum(value_counts(array.astype(np.uint8, copy=False)) for array, _ in read)
    present = set(np.flatnonzero(counts).tolist())
    return [named[value] for value in sorted(named)] if present <= set(named) else None


def _slice_voxel_size(
    files: Sequence[Path], metadata: Sequence[TiffMetadata], anisotropic: bool
) -> VoxelSize | None:
    """Return the grid's voxel size from the images' rows and columns.

    The distance between the images of a stack says nothing of the grid.
    """
    planes = ((1, 2), (0, 2), (0, 1)) if anisotropic else ((0, 0),) * len(files)
    known: dict[int, tuple[float, Path]] = {}
    for file, tags, plane in zip(files, metadata, planes, strict=True):
        if tags.voxel_size is None:
            continue
        for axis, length in zip(plane, tags.voxel_size[1:], strict=True):
            other, source = known.setdefault(axis, (length, file))
            if abs(length - other) > 0.01 * other:
                raise ShapeError(
                    f"{source.name} has pixels of {other:.4g} µm, {file.name} of {length:.4g} µm."
                    if source != file
                    else f"{file.name} has pixels of {other:.4g} × {length:.4g} µm.",
                    "High-res slices need the same pixel size along an axis, and square "
                    "pixels where the material is isotropic.",
                    "Resample them, or correct the sizes in the files.",
                )
    lengths = [known.get(axis if anisotropic else 0) for axis in range(3)]
    z, y, x = (None if length is None else length[0] for length in lengths)
    return None if z is None or y is None or x is None else (z, y, x)


def _stem(file: Path) -> str:
    name = file.name
    for suffix in (".ome.tif", ".ome.tiff", *_READERS):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name

"""TIFF files of labels that ImageJ, Fiji, napari and tifffile read with their voxel size."""

from __future__ import annotations

import logging
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_superres.data.files.output import written_whole
from napari_superres.data.files.reading import check_fits, check_regular
from napari_superres.data.files.tiff_metadata import (
    TiffMetadata,
    document_text,
    imagej_metadata,
    metadata_of,
    ome_metadata,
)
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import Labels, VoxelSize
from napari_superres.errors import FileError, InputError, NotSegmentedError, ShapeError

__all__ = ["read_tiff", "read_tiff_metadata", "write_labels_tiff"]

CLASSIC_LIMIT = 4 * 2**30 - 64 * 2**20
"""Bytes of voxels above which the file is a BigTIFF; a little below the format's 4 GiB."""

LARGEST_IN_A_FRACTION = 2**32 - 1  # of pixels in a centimetre, as TIFF writes them

COMPRESSES = 4  # labels shrink at least so much; for the estimate of disk space
_SIGNS_OF_DAMAGE = ("invalid page offset", "invalid value offset", "corrupted", "failed to")
_READ_ERRORS = (
    tifffile.TiffFileError, OSError, ValueError, IndexError, KeyError, TypeError,
    RuntimeError, OverflowError, MemoryError, AttributeError, ZeroDivisionError, AssertionError,
    NotImplementedError, struct.error, zlib.error,
)  # fmt: skip


def write_labels_tiff(
    path: str | Path,
    labels: Labels,
    *,
    voxel_size: VoxelSize | None,
    offset: VoxelSize | None = None,
    phases: Sequence[Phase] = (),
    provenance: Mapping[str, str] | None = None,
    flavour: Literal["imagej", "ome"] = "imagej",
) -> None:
    """Write label values as a zlib-compressed TIFF stack.

    Parameters
    ----------
    path : where to; an existing file is replaced only once the new one is whole
    labels : (Z, Y, X) uint8 label values, possibly mapped from disk
    voxel_size : µm along z, y, x; None to write none
    offset : µm of the first voxel's centre along z, y, x
    phases : named in the metadata; their colours are ImageJ's look-up table
    provenance : how the volume came to be, name : text
    flavour : ImageJ's metadata, or OME-XML. Above 4 GiB always OME-XML in a
        BigTIFF, which ImageJ's own format does not know and Bio-Formats reads

    Raises
    ------
    ShapeError
        Not three axes, or no voxels.
    OutputError
        The file cannot be written, or the disk is full.
    """
    if len(labels.shape) != 3 or 0 in labels.shape or labels.dtype != np.uint8:
        raise ShapeError(
            f"The labels have shape {labels.shape} and type {labels.dtype}.",
            "Axes z, y, x and type uint8 are needed.",
        )
    big = labels.size > CLASSIC_LIMIT
    text = document_text(phases, provenance or {})
    ome = flavour == "ome" or big
    if ome:
        metadata = ome_metadata(labels.shape[0], voxel_size, offset, text)
    else:
        metadata = imagej_metadata(voxel_size, offset, phases, text)
    unit = 1e4 if ome else 1.0  # µm in a centimetre; ImageJ has its own unit
    resolution = _resolution(unit, voxel_size)
    with (
        written_whole(path, labels.size // COMPRESSES) as temporary,
        tifffile.TiffWriter(temporary, bigtiff=big, ome=ome, imagej=not ome) as writer,
    ):
        writer.write(
            (np.ascontiguousarray(plane) for plane in labels),
            shape=labels.shape,
            dtype=np.uint8,
            photometric="minisblack",
            compression="zlib",
            resolution=resolution,
            resolutionunit="CENTIMETER" if ome and resolution else None,
            metadata=metadata,
        )


def _resolution(unit: float, voxel_size: VoxelSize | None) -> tuple[float, float] | None:
    """Return pixels per `unit` (µm) along x and y; None where a TIFF's fractions cannot hold it."""
    if voxel_size is None:
        return None
    x, y = unit / voxel_size[2], unit / voxel_size[1]
    return (x, y) if max(x, y) < LARGEST_IN_A_FRACTION else None


def read_tiff(path: str | Path) -> tuple[NDArray[np.generic], TiffMetadata]:
    """Read an image or a stack of images with its metadata.

    Returns
    -------
    array : (Y, X) or (Z, Y, X), as stored
    metadata : voxel size, offset, phases

    Raises
    ------
    FileError
        Not a TIFF, or a truncated or damaged one.
    NotSegmentedError
        Colours or channels.
    ShapeError
        More than one stack, or more axes than a stack has.
    """
    with _opened(path) as tif:
        series = tif.series
        if len(series) != 1:
            raise ShapeError(
                f"{Path(path).name} holds {len(series)} images of different kinds or sizes.",
                "One image, or one stack of equal images, is needed.",
                "Save them as separate files.",
            )
        _check_axes(Path(path).name, series[0].axes, series[0].shape)
        check_fits(Path(path).name, series[0].shape, series[0].dtype.itemsize)
        array = series[0].asarray()
        metadata = metadata_of(tif)
    stacked = [size for size in array.shape[:-2] if size > 1]
    return array.reshape([*stacked, *array.shape[-2:]]), metadata


def read_tiff_metadata(path: str | Path) -> TiffMetadata:
    """Return voxel size (µm, zyx), offset, phases and provenance; errors as in `read_tiff`."""
    with _opened(path) as tif:
        return metadata_of(tif)


def _check_axes(name: str, axes: str, shape: Sequence[int]) -> None:
    sizes = {axis: size for axis, size in zip(axes, shape, strict=True) if size > 1}
    colours = sizes.get("S", sizes.get("C", 1))
    if 1 < colours <= 4:
        raise NotSegmentedError(
            f"{name} is a colour image with {colours} channels.",
            "A segmented image holds one label value a voxel.",
            "Segment it first.",
        )
    stacked = [axis for axis in sizes if axis not in "YX"]
    if len(stacked) > 1:
        raise ShapeError(
            f"{name} has the axes {axes}, shape {tuple(shape)}.",
            "At most three axes, z, y and x, are needed.",
            "Save one stack a file.",
        )


@contextmanager
def _opened(path: str | Path) -> Iterator[tifffile.TiffFile]:
    """Open a TIFF; turn every way in which it can be broken into a `FileError`.

    tifffile reads what is left of a truncated file and only logs that something
    is missing, so its log is listened to.
    """
    name = Path(path).name
    damage: list[str] = []
    listener = _Listener(damage)
    logger = logging.getLogger("tifffile")
    logger.addHandler(listener)
    try:
        check_regular(path)
        with tifffile.TiffFile(path) as tif:
            yield tif
    except InputError as error:
        if damage:
            raise _broken(name, damage[0]) from error
        raise
    except _READ_ERRORS as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise FileError(f"{path} cannot be read: {error.strerror}.") from error
        raise _broken(name, str(error)) from error
    finally:
        logger.removeHandler(listener)
    if damage:
        raise _broken(name, damage[0])


class _Listener(logging.Handler):
    """Collects complaints of this thread's reading that mean a broken file."""

    def __init__(self, damage: list[str]) -> None:
        super().__init__(logging.ERROR)
        self.damage = damage
        self.thread_id = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.thread == self.thread_id and any(s in message for s in _SIGNS_OF_DAMAGE):
            self.damage.append(message)


def _broken(name: str, detail: str) -> FileError:
    if detail.startswith("not a TIFF file"):
        return FileError(
            f"{name} is no TIFF file, whatever its name says.",
            "A TIFF image or stack is needed.",
            "Export the segmentation as TIFF.",
        )
    return FileError(
        f"{name} is truncated or damaged: a part of it cannot be read.",
        "A whole TIFF file is needed.",
        "Copy or export it again.",
    )

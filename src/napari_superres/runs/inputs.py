"""The copies of its inputs that a run keeps, and the inputs read from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_superres.data.files.images import ImageSet
from napari_superres.data.files.tiff import read_tiff, write_labels_tiff
from napari_superres.data.phases import indices_of, values_of
from napari_superres.data.volumes import Labels, SegmentedSlices, SegmentedVolume
from napari_superres.errors import RunFolderError
from napari_superres.runs.config import KeptInput, image_file

FOLDER = "inputs"
VOLUME = "low_res.tif"
Input = SegmentedVolume | SegmentedSlices | ImageSet


def keep(run: Path, role: str, source: Input) -> KeptInput:
    """Write the copies of one input, and return what config.json says of it."""
    hashes = {}
    for name, values in _files(role, source):
        write_labels_tiff(
            run / FOLDER / name,
            values if values.ndim == 3 else values[None],
            voxel_size=_voxel_size(source),
            phases=source.phases,
        )
        hashes[name] = hashlib.sha256(values.tobytes()).hexdigest()
    return KeptInput(source.name, tuple(source.phases), _voxel_size(source), _sets(source), hashes)


def read_volume(run: Path, kept: KeptInput) -> SegmentedVolume:
    """Return the kept low-res volume."""
    values = _read(run, VOLUME, kept)
    return SegmentedVolume.from_labels(values, kept.voxel_size, kept.phases, kept.name)


def read_slices(run: Path, role: str, kept: KeptInput) -> SegmentedSlices:
    """Return kept slices."""
    sets = [
        [_read(run, _slice_file(role, axis, index), kept) for index in range(count)]
        for axis, count in enumerate(kept.sets)
    ]
    return SegmentedSlices.from_labels(sets, kept.voxel_size, kept.phases, kept.name)


def read_images(run: Path, role: str, kept: KeptInput) -> ImageSet:
    """Return a kept set of images, as phase indices where they are segmented."""
    arrays = [_read(run, image_file(role, index), kept) for index in range(kept.sets[0])]
    if kept.phases:
        arrays = [indices_of(array, kept.phases) for array in arrays]
    return ImageSet(tuple(arrays), kept.phases, kept.pixel_size, kept.name)


def _files(role: str, source: Input) -> Iterator[tuple[str, Labels]]:
    """Yield the name and the user's values of each file."""
    if isinstance(source, SegmentedVolume):
        yield VOLUME, source.values
    elif isinstance(source, SegmentedSlices):
        for axis, images in enumerate(source.sets):
            for index, image in enumerate(images):
                yield _slice_file(role, axis, index), values_of(image, source.phases)
    else:
        for index, image in enumerate(source.images):
            values = values_of(image, source.phases) if source.phases else image
            yield image_file(role, index), values


def _voxel_size(source: Input) -> tuple[float, float, float] | None:
    if isinstance(source, ImageSet):
        return None if source.pixel_size is None else (source.pixel_size,) * 3
    return source.voxel_size


def _sets(source: Input) -> tuple[int, ...]:
    if isinstance(source, SegmentedSlices):
        return tuple(len(images) for images in source.sets)
    return (len(source.images),) if isinstance(source, ImageSet) else (1,)


def _slice_file(role: str, axis: int, index: int) -> str:
    return f"{role}-{axis}-{index:04d}.tif"


def _read(run: Path, name: str, kept: KeptInput) -> Labels:
    """Return the values of a kept image, (rows, columns), or volume, checked against their hash."""
    file = run / FOLDER / name
    array, _ = read_tiff(file)
    if name == VOLUME and array.ndim == 2:
        array = array[None]  # a volume of one plane is an image to a TIFF
    known = kept.hashes.get(name)
    changed = array.dtype != np.uint8 or array.ndim != (3 if name == VOLUME else 2)
    if changed or known not in (None, hashlib.sha256(array.tobytes()).hexdigest()):
        raise RunFolderError(
            f"{file} has changed since the run was made.",
            "The run's own copy of its input is needed.",
            "Restore it from a copy.",
        )
    return array.astype(np.uint8, copy=False)

"""Sets of images, greyscale or segmented: read to learn from, written as a stack or as PNGs."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.files.output import TIFF, check_writable, make_folder, written_whole
from napari_superres.data.files.reading import check_fits
from napari_superres.data.files.segmented import ARRAYS, read_known, read_slices
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.files.tiff_metadata import TiffMetadata
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedSlices, VoxelSize, looks_coloured
from napari_superres.errors import FileError, NotSegmentedError, OutputError, ShapeError

Pixels = NDArray[np.uint8]

FEW_VALUES = 8
"""An image with no more distinct values than this is taken for a segmented one."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of one material: grey values, or phase indices.

    Attributes
    ----------
    images : (rows, columns) uint8 each; grey values 0 to 255, or indices 0 … n − 1
    phases : the n phases; empty for greyscale images
    pixel_size : µm, or None when unknown
    name : for messages and layers
    """

    images: tuple[Pixels, ...]
    phases: tuple[Phase, ...] = ()
    pixel_size: float | None = None
    name: str = "images"

    def __post_init__(self) -> None:
        if not self.images:
            raise ShapeError(f"{self.name} holds no image.", "At least one is needed.")
        for image in self.images:
            if image.ndim != 2 or 0 in image.shape:
                raise ShapeError(
                    f"{self.name} holds an image of shape {image.shape}.",
                    "Images with rows and columns are needed.",
                )

    @property
    def segmented(self) -> bool:
        """Whether the images hold phases rather than grey values."""
        return bool(self.phases)

    @property
    def channels(self) -> int:
        """Channels of a network for such images: 1, or one a phase."""
        return len(self.phases) or 1

    @classmethod
    def from_slices(cls, slices: SegmentedSlices) -> ImageSet:
        """Return all slices as one set; ShapeError where the material differs between axes."""
        if slices.anisotropic:
            raise ShapeError(
                f"{slices.name} has three sets of slices, one for each axis.",
                "Images of one kind are needed.",
                "Use the slices normal to one axis.",
            )
        size = None if slices.voxel_size is None else slices.voxel_size[0]
        return cls(tuple(slices.sets[0]), slices.phases, size, slices.name)

    @classmethod
    def from_grey(
        cls,
        images: Sequence[NDArray[np.generic]],
        pixel_size: float | None = None,
        name: str = "images",
    ) -> ImageSet:
        """Return greyscale images; anything but uint8 is spread over 0 to 255.

        One lowest and one highest value of all images are used, so that their
        brightness stays comparable. A ShapeError where they are no images, or one value.
        """
        planes = [plane for image in images for plane in _planes(np.asarray(image), name)]
        if any(plane.dtype != np.uint8 for plane in planes):
            low = float(np.min([float(plane.min()) for plane in planes]))  # NaN where one is
            high = float(np.max([float(plane.max()) for plane in planes]))
            if not np.isfinite([low, high]).all() or low == high:
                raise ShapeError(
                    f"{name} holds values from {low:.4g} to {high:.4g}.",
                    "Grey values that differ, and are numbers, are needed.",
                )
            scale = 255 / (high - low)
            # plane by plane: all of them as floats would be eight times the room
            planes = [np.rint((p.astype(float) - low) * scale).astype(np.uint8) for p in planes]
        return cls(tuple(np.ascontiguousarray(p, np.uint8) for p in planes), (), pixel_size, name)


def read_images(
    paths: Sequence[str | Path] | str | Path, segmented: bool | None = None
) -> ImageSet:
    """Read images: TIFF (stacks count as many images), .npy, .png, .jpg.

    Parameters
    ----------
    paths : the files
    segmented : whether they hold phases; None for yes with at most 8 distinct values

    Raises
    ------
    FileError
        Missing, damaged or of an unknown kind.
    ShapeError, NotSegmentedError, PhaseError
        No image, or not of the kind asked for.
    """
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if not files:
        raise ShapeError("There is no image file.", "At least one is needed.")
    read = [read_known(file, _READERS) for file in files]
    if segmented is None:
        segmented = len(np.unique(np.concatenate([np.unique(a) for a, _ in read]))) <= FEW_VALUES
    if segmented:
        if any(file.suffix.lower() in _PICTURES for file in files):
            slices = SegmentedSlices.from_labels([[array for array, _ in read]], name=files[0].stem)
        else:
            slices = read_slices(files)
        return ImageSet.from_slices(slices)
    sizes = [metadata.voxel_size for _, metadata in read if metadata.voxel_size is not None]
    return ImageSet.from_grey(
        [array for array, _ in read], sizes[0][1] if sizes else None, files[0].stem
    )


def read_stack(path: str | Path) -> tuple[Pixels, VoxelSize | None]:
    """Read an image or volume as stored, (Y, X) or (Z, Y, X) uint8, with its voxel size in µm.

    Raises
    ------
    FileError
        Missing, damaged or of an unknown kind.
    ShapeError
        Not 8-bit values.
    """
    array, metadata = read_known(Path(path), _READERS)
    if array.dtype != np.uint8:
        raise ShapeError(
            f"{Path(path).name} holds values of type {array.dtype}.",
            "8-bit grey values or labels are needed.",
            "Convert it, with the same limits as the images that were trained on.",
        )
    return array.astype(np.uint8, copy=False), metadata.voxel_size


def _read_picture(file: Path) -> tuple[NDArray[np.generic], TiffMetadata]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large, not yet a bomb
            with Image.open(file) as image:
                check_fits(file.name, image.size, 4)
                several = len(image.getbands()) > 1 or image.mode == "P"
                grey = image.convert("L") if several else image
                array = np.asarray(grey)
    except FileError:
        raise
    except Image.DecompressionBombError as error:
        raise FileError(
            f"{file.name} is suspiciously large: {error}.", "", "Save it in parts, or as TIFF."
        ) from error
    except _PICTURE_ERRORS as error:
        raise FileError(
            f"{file.name} is truncated, damaged or no picture.", "", "Save it again."
        ) from error
    return array, TiffMetadata()


_PICTURE_ERRORS = (
    OSError, ValueError, SyntaxError, TypeError, EOFError, IndexError, KeyError, OverflowError,
    MemoryError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
_PICTURES: dict[str, Callable[[Path], tuple[NDArray[np.generic], TiffMetadata]]] = dict.fromkeys(
    (".png", ".jpg", ".jpeg"), _read_picture
)
_READERS = {**ARRAYS, **_PICTURES}


def _planes(array: NDArray[np.generic], name: str) -> list[NDArray[np.generic]]:
    if looks_coloured(array):
        raise NotSegmentedError(
            f"{name} has shape {array.shape}, which looks like a colour image.",
            "Greyscale images are needed.",
            "Convert it to grey.",
        )
    if array.ndim not in (2, 3) or array.size == 0 or array.dtype.kind not in "iufb":
        raise ShapeError(
            f"{name} holds an array of shape {array.shape} and type {array.dtype}.",
            "An image, or a stack of images, is needed.",
        )
    return [array] if array.ndim == 2 else list(array)


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

"""What TIFF files hold besides voxels: voxel size, offset, phases, provenance.

Voxel sizes come from the tags of OME-TIFF, ImageJ and plain TIFF, so that other
programs may change them. Phases and provenance are a document of our own, kept
where those formats keep free text; OME-Zarr keeps the same one as an attribute.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.data.volumes import VoxelSize, is_length
from napari_superres.errors import PhaseError

DOCUMENT_KEY = "napari-superres-fusion"


_MICROMETRES = {
    "m": 1e6, "cm": 1e4, "mm": 1e3, "um": 1.0, "nm": 1e-3, "å": 1e-4, "pm": 1e-6,
    "meter": 1e6, "centimeter": 1e4, "millimeter": 1e3, "micron": 1.0, "microns": 1.0,
    "micrometer": 1.0, "micrometre": 1.0, "nanometer": 1e-3, "nanometre": 1e-3,
    "angstrom": 1e-4, "inch": 25400.0, "in": 25400.0,
}  # fmt: skip
_LARGEST_PLAIN_UM = 10.0  # coarser is a printer's resolution (2540 dpi), not a voxel size


@dataclass(frozen=True)
class TiffMetadata:
    """What a TIFF file says about its voxels.

    Attributes
    ----------
    voxel_size : µm along z, y, x; None when unknown
    offset : µm of the first voxel's centre along z, y, x; None when unknown
    phases : with names and colours, when this package wrote the file
    provenance : how the file came to be, when this package wrote it
    """

    voxel_size: VoxelSize | None = None
    offset: VoxelSize | None = None
    phases: tuple[Phase, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)


def to_micrometres(unit: str | None) -> float | None:
    """Return how many µm `unit` is, or None for a unit that is no length."""
    text = (unit or "").strip().lower()
    for micro in ("µ", "μ", "\\u00b5", "\\u03bc"):  # two code points, and ImageJ's escapes
        text = text.replace(micro, "u")
    return _MICROMETRES.get(text)


def document_text(phases: Sequence[Phase], provenance: Mapping[str, str]) -> str:
    """Return phases and provenance as JSON text."""
    return json.dumps({DOCUMENT_KEY: document(phases, provenance)}, indent=1)


def imagej_metadata(
    voxel_size: VoxelSize | None, offset: VoxelSize | None, phases: Sequence[Phase], text: str
) -> dict[str, Any]:
    """Return what tifffile writes for ImageJ; the offset is its origin, in voxels."""
    metadata: dict[str, Any] = {"axes": "ZYX", "mode": "grayscale", "Info": text}
    if phases:
        metadata |= {"LUTs": [_look_up_table(phases)], "Ranges": (0.0, 255.0)}
    if voxel_size is None:
        return metadata
    metadata |= {"unit": "micron", "spacing": voxel_size[0]}
    for axis, start, size in zip("zyx", offset or (), voxel_size, strict=False):
        metadata[f"{axis}origin"] = -start / size  # ImageJ: the pixel where 0 lies
    return metadata


def _look_up_table(phases: Sequence[Phase]) -> NDArray[np.uint8]:
    grey = np.arange(256, dtype=np.uint8)
    table = np.stack([grey, grey, grey])
    for phase in phases:
        if len(phase.colour) == 7:
            table[:, phase.value] = list(bytes.fromhex(phase.colour[1:]))
    return table


def ome_metadata(
    n_planes: int, voxel_size: VoxelSize | None, offset: VoxelSize | None, text: str
) -> dict[str, Any]:
    """Return what tifffile writes as OME-XML; the offset is the position of each plane."""
    metadata: dict[str, Any] = {"axes": "ZYX", "Description": text}
    if voxel_size is None:
        return metadata
    for axis, size in zip("ZYX", voxel_size, strict=True):
        metadata |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "µm"}
    if offset is not None:
        z, y, x = offset
        metadata["Plane"] = {
            "PositionZ": [z + plane * voxel_size[0] for plane in range(n_planes)],
            "PositionY": [y] * n_planes,
            "PositionX": [x] * n_planes,
        } | {f"Position{axis}Unit": ["µm"] * n_planes for axis in "ZYX"}
    return metadata


def metadata_of(tif: tifffile.TiffFile) -> TiffMetadata:
    """Return the metadata of an open TIFF file; nothing in it is trusted to be well formed."""
    try:
        if tif.is_ome:
            return _from_ome(tif.ome_metadata or "")
        if tif.is_imagej:
            return _from_imagej(tif)
        return TiffMetadata(_plain_voxel_size(tif))
    except (ValueError, KeyError, TypeError, ZeroDivisionError, ElementTree.ParseError):
        return TiffMetadata()


def _from_ome(xml: str) -> TiffMetadata:
    image = ElementTree.fromstring(xml).find("{*}Image")
    pixels = None if image is None else image.find("{*}Pixels")
    if image is None or pixels is None:
        return TiffMetadata()
    lengths = [_ome_length(pixels, f"PhysicalSize{axis}") for axis in "ZYX"]
    if int(pixels.get("SizeZ", "1")) == 1 and lengths[0] is None:
        lengths[0] = lengths[1]
    plane = pixels.find("{*}Plane")
    start = [None] * 3 if plane is None else [_ome_length(plane, f"Position{a}") for a in "ZYX"]
    phases, provenance = _read_text(image.findtext("{*}Description", ""))
    return TiffMetadata(_voxel_size(lengths), _triple(start), phases, provenance)


def _ome_length(element: ElementTree.Element, name: str) -> float | None:
    text = element.get(name)
    factor = to_micrometres(element.get(f"{name}Unit", "um"))
    return None if text is None or factor is None else float(text) * factor


def _from_imagej(tif: tifffile.TiffFile) -> TiffMetadata:
    tags = tif.imagej_metadata or {}
    phases, provenance = _read_text(str(tags.get("Info", "")))
    units = [tags.get(f"{axis}unit", tags.get("unit")) for axis in "zyx"]
    factors = [to_micrometres(str(unit)) for unit in units]
    x, y = (_tag_pixel(tif, f"{axis}Resolution") for axis in "XY")
    depth = float(tags.get("spacing", 1.0)) if int(tags.get("images", 1)) > 1 else y
    lengths = [
        None if factor is None or size is None else abs(size) * factor
        for factor, size in zip(factors, (depth, y, x), strict=True)
    ]
    voxel_size = _voxel_size(lengths)
    offset = None
    if voxel_size and any(f"{axis}origin" in tags for axis in "zyx"):
        origin = [float(tags.get(f"{axis}origin", 0.0)) for axis in "zyx"]
        offset = _triple([-o * size for o, size in zip(origin, voxel_size, strict=True)])
    return TiffMetadata(voxel_size, offset, phases, provenance)


def _plain_voxel_size(tif: tifffile.TiffFile) -> VoxelSize | None:
    tag = tif.pages.first.tags.get("ResolutionUnit")
    factor = {2: 25400.0, 3: 1e4}.get(int(tag.value) if tag else 0)
    x, y = (_tag_pixel(tif, f"{axis}Resolution") for axis in "XY")
    if factor is None or x is None or y is None or max(x, y) * factor > _LARGEST_PLAIN_UM:
        return None
    if tif.series[0].ndim > 2 and abs(x - y) > 0.01 * x:
        return None  # no tag tells the depth, and the pixels give no reason for a cube
    return _voxel_size([y * factor, y * factor, x * factor])


def _tag_pixel(tif: tifffile.TiffFile, name: str) -> float | None:
    tag = tif.pages.first.tags.get(name)
    if tag is None:
        return None
    over, under = tag.value
    return float(under) / float(over) if over else None


def _voxel_size(lengths: Sequence[float | None]) -> VoxelSize | None:
    size = _triple(lengths)
    return size if size and all(map(is_length, size)) else None


def _triple(values: Sequence[float | None]) -> VoxelSize | None:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return (known[0], known[1], known[2]) if len(known) == 3 else None


def _read_text(text: str) -> tuple[tuple[Phase, ...], dict[str, str]]:
    try:
        return read_document(json.loads(text)[DOCUMENT_KEY])
    except (ValueError, KeyError, TypeError, RecursionError):
        return (), {}


def document(phases: Sequence[Phase], provenance: Mapping[str, str]) -> dict[str, Any]:
    """Return what is kept under `DOCUMENT_KEY`, JSON-able."""
    return {
        "phases": [
            {"value": phase.value, "name": phase.name, "colour": phase.colour} for phase in phases
        ],
        "provenance": dict(provenance),
    }


def read_document(content: Any) -> tuple[tuple[Phase, ...], dict[str, str]]:
    """Return phases and provenance; nothing where the content is not one of ours."""
    try:
        phases = tuple(
            Phase(int(entry["value"]), str(entry["name"]), str(entry["colour"]))
            for entry in content["phases"]
        )
        return phases, {str(key): str(value) for key, value in content["provenance"].items()}
    except (KeyError, TypeError, ValueError, AttributeError, PhaseError):
        return (), {}

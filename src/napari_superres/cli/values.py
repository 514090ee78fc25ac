"""Values of options that are more than one word: pairs, axes, regions, sizes, changes.

What cannot be read is a SettingsError that names the option.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from napari_superres.config import EngineSettings, from_text
from napari_superres.data.volumes import LARGEST, SMALLEST, VoxelSize, is_length
from napari_superres.errors import SettingsError

Region = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def parse_pairs(text: str, option: str) -> dict[int, int]:
    """Read pairs of label values such as ``0:0,1:1,2:0``."""
    pairs: dict[int, int] = {}
    for part in text.split(","):
        left, colon, right = part.strip().partition(":")
        if not (colon and left.strip().isdecimal() and right.strip().isdecimal()):
            raise SettingsError(
                f"{option} has the part {part!r}.",
                "Pairs of label values are needed.",
                f"Write for example {option} 0:0,1:1,2:0.",
            )
        if int(left) in pairs:
            raise SettingsError(
                f"{option} names the value {int(left)} twice.", "One pair a value is needed."
            )
        pairs[int(left)] = int(right)
    return pairs


def parse_names(text: str, option: str) -> dict[int, str]:
    """Read names of label values such as ``0:pore,1:active material``."""
    names: dict[int, str] = {}
    for part in text.split(","):
        value, _, name = (piece.strip() for piece in part.partition(":"))
        if not value.isdecimal() or not name or int(value) in names:
            raise SettingsError(
                f"{option} has the part {part!r}.",
                "A name for each label value is needed.",
                f"Write for example {option} '0:pore,1:active material'.",
            )
        names[int(value)] = name
    return names


def parse_axes(text: str | None) -> tuple[int, ...]:
    """Read axes such as ``z`` or ``x,y`` as their numbers, 0 for z."""
    names = [name.strip().lower() for name in (text or "").split(",") if name.strip()]
    if not set(names) <= set("zyx"):
        raise SettingsError(
            f"--periodic is {text!r}.", "Axes are needed.", "Write for example --periodic z,x."
        )
    return tuple(sorted({"zyx".index(name) for name in names}))


def parse_region(text: str | None, option: str = "--region") -> Region | None:
    """Read a region such as ``0:16,8:24,0:32``, in low-res voxels, half open, zyx."""
    if text is None:
        return None
    try:
        z, y, x = (_parse_range(part) for part in text.split(","))
    except ValueError as error:
        raise SettingsError(
            f"{option} is {text!r}.",
            "Three ranges of low-res voxels along z, y, x are needed.",
            f"Write for example {option} 0:16,8:24,0:32.",
        ) from error
    return z, y, x


def _parse_range(text: str) -> tuple[int, int]:
    start, stop = (int(end) for end in text.split(":"))
    if not 0 <= start < stop:
        raise ValueError(text)
    return start, stop


def parse_voxel_size(text: str | None) -> VoxelSize | None:
    """Read a voxel size in µm: one number, or three along z, y, x."""
    if text is None:
        return None
    try:
        sizes = [float(part) for part in text.split(",")]
        z, y, x = sizes * 3 if len(sizes) == 1 else sizes
        if not all(map(is_length, (z, y, x))):
            raise ValueError(text)
    except ValueError as error:
        raise SettingsError(
            f"--voxel-size is {text!r}.",
            f"One number in µm, or three along z, y, x, are needed, {SMALLEST:g} to {LARGEST:g}.",
            "Write for example --voxel-size 0.4.",
        ) from error
    return z, y, x


def parse_changes(
    changes: Sequence[str] | None, model: type[BaseModel] = EngineSettings
) -> dict[str, Any]:
    """Read ``name=value`` pairs of the settings of `model`."""
    values: dict[str, Any] = {}
    for change in changes or ():
        name, equals, text = change.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in model.model_fields:
            raise SettingsError(
                f"--set has {change!r}.",
                f"NAME=VALUE is needed, with one of the names {', '.join(model.model_fields)}.",
            )
        values[name] = from_text(model, name, text)
    return values

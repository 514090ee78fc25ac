"""The previews of a run on disk, to look back at its progress.

previews/ step-0000560.png    three rows: generated, real, low-res; a column for each axis

The pixels of a picture are phase indices with the phases' colours as its palette, low-res
phases after the high-res ones; any image viewer shows it, and nothing is lost. Its metadata
hold where the nine slices lie in it.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from napari_superres.data.files.reading import check_regular
from napari_superres.data.phases import Phase, phase_colours
from napari_superres.events import PreviewReady

FOLDER = "previews"
PREFIX = "step-"
MOST = 200
"""Previews kept; when there are more, every second one goes."""
GAP = 2
PAPER = 255
THUMBNAIL, THUMBNAIL_GAP = 128, 4
WHERE = "slices"
_DAMAGED = (
    OSError, EOFError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError,
    RecursionError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow and hostile numbers in the metadata raise."""

Labels = NDArray[np.uint8]


def keep_preview(
    run: Path, event: PreviewReady, high_res: Sequence[Phase], low_res: Sequence[Phase]
) -> Path | None:
    """Write a preview; return its file, or None where the disk refuses: training goes on.

    Parameters
    ----------
    run : folder of the run
    event : the preview
    high_res, low_res : phases, for the colours
    """
    folder = run / FOLDER
    final = folder / f"{PREFIX}{event.step:07d}.png"
    part = folder / f".{final.name}.part"
    try:
        folder.mkdir(exist_ok=True)
        sheet, where = _sheet(event, len(high_res))
        picture = Image.fromarray(sheet)
        picture.putpalette(_palette(high_res, low_res))
        placed = PngInfo()
        placed.add_text(WHERE, json.dumps({"step": event.step, "low": len(high_res), "at": where}))
        picture.save(part, format="PNG", pnginfo=placed)
        os.replace(part, final)
        _thin(folder)
    except OSError:
        return None
    return final


def read_previews(run: Path) -> list[PreviewReady]:
    """Return the previews of a run, earliest first; damaged ones are left out."""
    found = []
    for file in sorted((run / FOLDER).glob(f"{PREFIX}*.png")):
        try:
            found.append(_read(file))
        except _DAMAGED:
            continue
    return sorted(found, key=lambda event: event.step)


def drop_previews_after(run: Path, step: int) -> None:
    """Delete the previews of later steps: what a run was rolled back from.

    One that cannot be deleted, as it is open elsewhere, stays; training goes on.
    """
    for file in (run / FOLDER).glob(f"{PREFIX}*.png"):
        if _step(file) > step:
            with suppress(OSError):
                file.unlink()


def thumbnail(images: Sequence[Labels], phases: Sequence[Phase]) -> NDArray[np.uint8]:
    """Return images side by side as one picture.

    Parameters
    ----------
    images : 2D phase indices, or grey values where there are no phases
    phases : their colours

    Returns
    -------
    (rows, columns, 3) uint8
        Each image enlarged by the same whole factor, so that pixels stay square.
    """
    colours = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    if phases:
        colours = np.array(_palette(phases, ()), np.uint8).reshape(-1, 3)
    times = max(1, THUMBNAIL // max(side for image in images for side in image.shape))
    pictures = [colours[np.kron(image, np.ones((times, times), np.uint8))] for image in images]
    rows = max(picture.shape[0] for picture in pictures)
    width = sum(picture.shape[1] for picture in pictures) + THUMBNAIL_GAP * (len(pictures) - 1)
    sheet = np.full((rows, width, 3), PAPER, np.uint8)
    left = 0
    for picture in pictures:
        sheet[: picture.shape[0], left : left + picture.shape[1]] = picture
        left += picture.shape[1] + THUMBNAIL_GAP
    return sheet


def _sheet(event: PreviewReady, phases: int) -> tuple[Labels, list[list[int]]]:
    """Return the slices on one sheet, and row, column, height and width of each."""
    rows = (event.generated, event.real, tuple(image + phases for image in event.low_res))
    where: list[list[int]] = []
    top = 0
    for row in rows:
        left = 0
        for image in row:
            where.append([top, left, *image.shape])
            left += image.shape[1] + GAP
        top += max(image.shape[0] for image in row) + GAP
    width = max(left + columns for _, left, _, columns in where)
    sheet = np.full((top - GAP, width), PAPER, np.uint8)
    for image, (top, left, height, columns) in zip(sum(rows, ()), where, strict=True):
        sheet[top : top + height, left : left + columns] = image
    return sheet, where


def _read(file: Path) -> PreviewReady:
    check_regular(file)
    with Image.open(file) as picture:
        placed = json.loads(picture.info[WHERE])
        sheet = np.asarray(picture)
    if sheet.ndim != 2 or len(placed["at"]) != 9:
        raise ValueError(f"{file} is no preview")
    images = [sheet[top : top + h, left : left + w].copy() for top, left, h, w in placed["at"]]
    if [list(image.shape) for image in images] != [place[2:] for place in placed["at"]]:
        raise ValueError(f"{file} is cut short")
    first = int(placed["low"])
    if not 0 <= first <= 255:  # numpy 1 would take it for another one
        raise ValueError(f"{file} has colours from {first} on")
    low = [image - np.uint8(first) for image in images[6:]]
    return PreviewReady(
        int(placed["step"]),
        (images[0], images[1], images[2]),
        (images[3], images[4], images[5]),
        (low[0], low[1], low[2]),
    )


def _thin(folder: Path) -> None:
    files = sorted(folder.glob(f"{PREFIX}*.png"), key=_step)
    if len(files) > MOST:
        for file in files[1:-1:2]:
            file.unlink(missing_ok=True)


def _step(file: Path) -> int:
    digits = file.stem.removeprefix(PREFIX)
    return int(digits) if digits.isdigit() else 0


def _palette(high_res: Sequence[Phase], low_res: Sequence[Phase]) -> list[int]:
    colours = phase_colours(high_res) + phase_colours(low_res)
    table = [int(colour[i : i + 2], 16) for colour in colours for i in (1, 3, 5)]
    return (table + [PAPER] * 768)[:768]

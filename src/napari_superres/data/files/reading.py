"""Checks before a file is read: that it is a plain file, and fits into memory.

A name can stand for a pipe that nobody writes to, or for an endless device; and a few
bytes can claim to be a terabyte. Neither may hang the program or exhaust the machine.
"""

from __future__ import annotations

import errno
import math
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from napari_superres.data.files.output import format_bytes
from napari_superres.errors import FileError

SMALL = 256 * 2**20
"""Bytes; a longer text file was not written by this package."""
ALWAYS_FITS = 2**28
"""Bytes that are not worth a check."""


def check_regular(path: str | Path) -> None:
    """Check that a path is a plain file, which reading comes to the end of.

    An OSError where it is not there, or is a folder, a pipe or a device.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device", str(path))


def check_regular_below(folder: Path) -> None:
    """Check, without opening them, that a folder holds plain files and folders alone."""
    for root, _, names in os.walk(folder):
        for name in names:
            check_regular(Path(root) / name)


def read_small_text(path: Path) -> str:
    """Return the text of a file that a run or a volume describes itself in.

    An OSError as for `check_regular`, or where it is far too long; a UnicodeDecodeError
    where it is not UTF-8.
    """
    check_regular(path)
    if os.stat(path).st_size > SMALL:
        raise OSError(errno.EFBIG, "it is too long", str(path))
    return path.read_text(encoding="utf-8")


def is_number(value: object) -> bool:
    """Whether what a JSON text holds is a number that a float can be; NaN and infinity are."""
    if not isinstance(value, int | float):
        return False
    try:
        float(value)
    except OverflowError:  # JSON's whole numbers have no end
        return False
    return True


def check_fits(name: str, shape: Sequence[int], bytes_per_value: int = 1) -> None:
    """Check that an array that the file `name` claims to hold fits into the free memory."""
    needed = math.prod(int(size) for size in shape) * bytes_per_value
    if needed <= ALWAYS_FITS:
        return
    free = psutil.virtual_memory().available
    if needed > free:
        sides = " × ".join(str(size) for size in shape)
        raise FileError(
            f"{name} claims to hold {sides} values, {format_bytes(needed)}; "
            f"{format_bytes(free)} of memory are free.",
            "A file that fits into memory is needed.",
            "Check that it is whole, crop it, or use a computer with more memory.",
        )


def read_npy(file: Path) -> NDArray[np.generic]:
    """Return the array of an .npy file; FileError for anything but an array that fits."""
    try:
        check_regular(file)
        # mapped first: reading would make room for whatever the header claims
        mapped = np.load(file, mmap_mode="r", allow_pickle=False)
        if not isinstance(mapped, np.ndarray):
            mapped.close()
            raise ValueError("an archive of arrays")
        check_fits(file.name, mapped.shape, mapped.dtype.itemsize)
        return np.array(mapped)
    except (ValueError, EOFError, TypeError, OverflowError, SyntaxError, MemoryError) as error:
        raise FileError(
            f"{file.name} is truncated, damaged or no .npy array of numbers.",
            "An array saved with numpy.save is needed.",
            "Save it again.",
        ) from error

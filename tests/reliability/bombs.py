"""Small files that claim, or unpack to, far more than any machine has."""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from safetensors.numpy import save_file

HUGE = 2_000_000_000


def tiff_of_one_strip_repeated(file: Path, rows: int = 4_000_000, columns: int = 400_000) -> None:
    """Write a TIFF of 1.6 TB whose strips are all the same few bytes."""
    strip = zlib.compress(bytes(columns))
    count = 4000
    tags = [
        (256, 4, 1, columns), (257, 4, 1, rows), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
        (273, 4, count, 0), (277, 3, 1, 1), (278, 4, 1, rows // count), (279, 4, count, 0),
    ]  # fmt: skip
    start = 8 + 2 + 12 * len(tags) + 4
    data = start + 8 * count
    places = {273: start, 279: start + 4 * count}
    head = b"II*\x00" + struct.pack("<IH", 8, len(tags))
    for tag, kind, number, value in tags:
        head += struct.pack("<HHII", tag, kind, number, places.get(tag, value))
    arrays = struct.pack(f"<{count}I", *[data] * count)
    arrays += struct.pack(f"<{count}I", *[len(strip)] * count)
    file.write_bytes(head + struct.pack("<I", 0) + arrays + strip)


def tiff_that_claims(file: Path) -> None:
    """Write a small stack, then say in its tags that its sides are huge."""
    tifffile.imwrite(file, np.zeros((4, 16, 16), np.uint8), photometric="minisblack")
    with tifffile.TiffFile(file, mode="r+") as tif:
        for name in ("ImageWidth", "ImageLength"):
            tif.pages.first.tags[name].overwrite(HUGE)


def tiff_with_a_loop(file: Path) -> None:
    """Let the next directory of a TIFF be the first one again."""
    tifffile.imwrite(file, np.zeros((16, 16), np.uint8))
    data = bytearray(file.read_bytes())
    first = struct.unpack_from("<I", data, 4)[0]
    entries = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * entries, first)
    file.write_bytes(data)


def imagej_that_claims(file: Path) -> None:
    """Write a hyperstack whose description tells of a billion images."""
    tifffile.imwrite(file, np.zeros((4, 16, 16), np.uint8), imagej=True, metadata={"axes": "ZYX"})
    data = file.read_bytes()
    file.write_bytes(data.replace(b"images=4\nslices=4", b"images=9999999999"))


def ome_with_entities(file: Path) -> None:
    """Write OME-XML whose entities grow by themselves."""
    lines = [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    xml = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">' + "".join(lines)
    xml += ']><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">&a11;</OME>'
    stack = np.zeros((4, 16, 16), np.uint8)
    tifffile.imwrite(file, stack, description=xml, metadata=None, photometric="minisblack")


def npy_that_claims(file: Path) -> None:
    """Write an array header of an exabyte and no data."""
    with open(file, "wb") as stream:
        header = {"descr": "|u1", "fortran_order": False, "shape": (2**20,) * 3}
        np.lib.format.write_array_header_1_0(stream, header)


def npy_of_objects(file: Path) -> None:
    """Write a pickle in an .npy."""
    np.save(file, np.array([{"a": 1}], object), allow_pickle=True)


def npz_called_npy(file: Path) -> None:
    """Write an archive of arrays under the name of one."""
    with open(file, "wb") as stream:
        np.savez(stream, a=np.zeros((4, 4, 4), np.uint8))


def png_that_claims(file: Path) -> None:
    """Write a PNG of 50,000² pixels in 2.5 MB of zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    side = 50_000
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(side + 1)) for _ in range(side // 50)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def zarr_that_claims(folder: Path) -> None:
    """Say in a zarr's metadata that its side is a million voxels."""
    file = folder / "0" / "zarr.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["shape"] = [1_000_000] * 3
    file.write_text(json.dumps(content), encoding="utf-8")


def zarr_that_points_outside(folder: Path) -> None:
    """Let a zarr's metadata name a level outside of it."""
    file = folder / "zarr.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    level = content["attributes"]["ome"]["multiscales"][0]["datasets"][0]
    level["path"] = "../../../outside/0"
    file.write_text(json.dumps(content), encoding="utf-8")


def safetensors_that_claim(file: Path) -> None:
    """Write a header longer than the file."""
    file.write_bytes(struct.pack("<Q", 2**62) + b"{}")


def safetensors_of_a_terabyte(file: Path) -> None:
    """Write a header with a tensor of a terabyte and no data."""
    header = {"a": {"dtype": "F32", "shape": [2**38], "data_offsets": [0, 2**40]}}
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text)


def safetensors_of_others(file: Path) -> None:
    """Write tensors that no network of ours has, one named like a path."""
    save_file({"../../outside": np.zeros(3, np.float32), "": np.zeros((), np.int64)}, file)


Bomb = Callable[[Path], None]


def as_mutation(bomb: Bomb) -> Callable[[Path, random.Random], None]:
    """Return a bomb with the arguments of a mutation."""

    def mutation(file: Path, rng: random.Random) -> None:
        bomb(file)

    mutation.__name__ = bomb.__name__
    return mutation


TIFF = (
    tiff_of_one_strip_repeated, tiff_that_claims, tiff_with_a_loop, imagej_that_claims,
    ome_with_entities,
)  # fmt: skip
NPY = (npy_that_claims, npy_of_objects, npz_called_npy)
ZARR = (zarr_that_claims, zarr_that_points_outside)
SAFETENSORS = (safetensors_that_claim, safetensors_of_a_terabyte, safetensors_of_others)

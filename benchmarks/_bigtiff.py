"""A TIFF file larger than 4 GiB, written through the whole way but for the network."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def write_bigtiff(gib: float, folder: Path | None) -> dict[str, Any]:
    """Write made-up labels through the whole way to TIFF but for the network; read them back."""
    import tifffile

    from napari_superres.data.boxes import Box
    from napari_superres.data.phases import phases_from_values
    from napari_superres.generation.noise import NoiseField
    from napari_superres.generation.stream import Block, Generated
    from napari_superres.generation.stream import stream as run_stream
    from napari_superres.writing.description import Description
    from napari_superres.writing.plain_sink import PlainSink

    planes = round((gib * 2**30) ** (1 / 3))
    result = Box.whole((planes, planes, int(gib * 2**30 / planes**2) + 1))
    description = Description(phases_from_values([0, 1, 2]), (0.1,) * 3, (0.0,) * 3)

    def labels_of(box: Box) -> np.ndarray:
        z, y, x = (np.arange(lo, hi) // 16 for lo, hi in box.ranges())
        return ((z[:, None, None] + y[:, None] + x) % 3).astype(np.uint8)

    def produce(blocks: Sequence[Block]) -> Iterator[Generated]:
        for block in blocks:
            yield Generated(len(block.tiles), block.index, labels_of(block.box))

    with tempfile.TemporaryDirectory(dir=folder) as made:
        path = Path(made) / "big.tif"
        began, longest = time.perf_counter(), 0.0
        sink, noise = PlainSink(path, result, description), NoiseField(0)
        last = began
        for _ in run_stream(produce, lambda _: noise, sink, result.shape):
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
        seconds = time.perf_counter() - began
        with tifffile.TiffFile(path) as tif:
            series = tif.series[0]
            for z in (0, planes // 2, planes - 1):
                plane = Box((z, 0, 0), (z + 1, *result.shape[1:]))
                assert (series.pages[z].asarray() == labels_of(plane)[0]).all()
            facts = {"bigtiff": tif.is_bigtiff, "ome": tif.is_ome, "axes": series.axes}
        size = path.stat().st_size / 1e9
    facts |= {"shape": list(series.shape), "seconds": seconds, "longest": longest, "gb": size}
    return facts


def report_bigtiff(found: dict[str, Any]) -> None:
    voxels = int(np.prod(found["shape"], dtype=np.int64))
    print(
        f"{found['shape']} {found['axes']}, {voxels / 2**30:.2f} GiB of voxels: BigTIFF "
        f"{found['bigtiff']}, OME-XML {found['ome']}, {found['gb']:.2f} GB compressed, "
        f"{found['seconds']:.0f} s, peak {found['gib']:.2f} GiB, longest silence "
        f"{found['longest']:.1f} s; first, middle and last plane read back as written"
    )

"""How large a tile may be: a model of a tile's memory, and what the device has free."""

from __future__ import annotations

from collections.abc import Sequence

import psutil
import torch
from torch import nn

from napari_superres.data.boxes import Box, Triple
from napari_superres.fusion.networks.generator import Generator
from napari_superres.fusion.networks.trilinear import TrilinearConvolution

COPIES = 2
"""Features held at once in the largest layer, as a multiple of its output: measured 1.4 to
2.8 on the CPU (input, output, the library's reordering)."""

BEST_BYTES = {"cpu": 3 * 2**28, "cuda": 4 * 2**30}
"""Larger tiles save too little of the halo to be worth their memory."""

SHARE_OF_FREE = 0.5
SMALLEST = 16


def best_tile(
    generator: Generator,
    result: Box,
    low_res_shape: Sequence[int],
    device: torch.device,
    bytes_per_value: int,
    processes: int = 1,
) -> Triple:
    """Return the shape of a tile, in high-res voxels, that is fast and fits into memory.

    `generator` is made ready by `for_generation`; `processes` share the device's memory, each
    with a tile of its own.
    """
    room = BEST_BYTES.get(device.type, BEST_BYTES["cpu"])
    free = free_bytes(device)
    if free is not None:
        room = min(room, int(free * SHARE_OF_FREE / processes))
    side = SMALLEST
    while side < max(result.shape):
        larger = side + 8
        box = Box.whole(result.shape).within(Box.whole((larger,) * 3)).moved(result.start)
        if tile_bytes(generator, box, low_res_shape, bytes_per_value) > room:
            break
        side = larger
    z, y, x = (min(side, size) for size in result.shape)
    return z, y, x


def tile_bytes(
    generator: Generator, box: Box, low_res_shape: Sequence[int], bytes_per_value: int
) -> int:
    """Return about how many bytes generating `box` takes at its peak."""
    boxes = generator.boxes(box, low_res_shape)
    largest = generator.low_phases * boxes[0].size
    for block, out in zip(generator.blocks, boxes[1:], strict=True):
        largest = max([largest, *(width * out.size for width in _widths(block))])
    return largest * bytes_per_value * COPIES + box.size * 4 * generator.high_phases


def _widths(block: nn.Module) -> list[int]:
    if isinstance(block, TrilinearConvolution):
        return [2 * len(block.bias)]  # twice: it adds up in float32 whatever comes in
    convolutions = [m for m in block.modules() if isinstance(m, nn.Conv3d | nn.ConvTranspose3d)]
    return [width for conv in convolutions for width in (conv.in_channels, conv.out_channels)]


def free_bytes(device: torch.device) -> int | None:
    """Return the free memory of a device, or None where it is unknown."""
    if device.type == "cpu":
        return int(psutil.virtual_memory().available)
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return None

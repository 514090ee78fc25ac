"""The reference's way to generate a large volume, in plain torch: what ours is timed against."""

from __future__ import annotations

import time
from itertools import product
from typing import Any

import numpy as np
import torch
from paper_transcription import PlainGenerator

TILE, PHASES = 128, 3


def reference_scheme(
    labels: np.ndarray, scale_factor: int, device: str, tiles: int | None
) -> dict[str, Any]:
    """Time 128³ tiles, each generated on its own, stride half a tile.

    Transcribed from the method's public description: every tile is a small volume with
    its own padding; argmax of the softmax; of tiles that overlap, each gives the half in
    its middle, or what reaches the volume's face.

    Parameters
    ----------
    labels : low-res cube of phase indices
    tiles : so many are timed, the rest is the same work again; None for all
    """
    low_res, side = len(labels), min(TILE // scale_factor, len(labels))
    starts = sorted({*range(0, low_res - side, side // 2), low_res - side})
    places = list(product(starts, repeat=3))
    generator = PlainGenerator(PHASES, PHASES, scale_factor).to(device).eval()
    volume = torch.from_numpy(labels).to(device)
    result = np.empty((low_res * scale_factor,) * 3, np.uint8)
    timed = []
    with torch.inference_mode():
        for place in places[:tiles]:
            began = time.perf_counter()
            crop = volume[tuple(slice(first, first + side) for first in place)].long()
            one_hot = torch.nn.functional.one_hot(crop, PHASES).permute(3, 0, 1, 2)[None].float()
            noise = torch.randn(1, 1, *crop.shape, device=device)
            phases = generator(torch.cat([one_hot, noise], 1)).argmax(1)
            tile = phases[0].to(torch.uint8).cpu().numpy()
            kept = [_kept(first, side, low_res) for first in place]
            target = tuple(
                slice((f + a) * scale_factor, (f + b) * scale_factor)
                for f, (a, b) in zip(place, kept, strict=True)
            )
            result[target] = tile[tuple(slice(a * scale_factor, b * scale_factor) for a, b in kept)]
            timed.append(time.perf_counter() - began)
    note = f"{len(timed)} of {len(places)} tiles timed, {np.mean(timed):.1f} s each"
    return {"seconds": float(np.mean(timed)) * len(places), "note": note}


def _kept(first: int, side: int, low_res: int) -> tuple[int, int]:
    """Return the part of a tile that is kept along one axis, in low-res voxels."""
    lowest = 0 if first == 0 else side // 4
    return lowest, side if first + side == low_res else side - side // 4

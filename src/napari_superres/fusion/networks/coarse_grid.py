"""Trilinear up-sampling and the 3³ convolution after it, done on the coarse grid.

Legend of shape suffixes: B batch, C channels in, O channels out, Z Y X voxels,
K taps of a kernel along one axis.

Mixing channels and interpolating voxels commute. So the 27 taps are applied as
products of matrices on the coarse grid (at ×2 an eighth of the products, in a
layer that is two thirds of the paper's network), and what they give is led to
the fine grid axis by axis by small matrices that hold the interpolation weights
and the replicated faces. The wide up-sampled input is never made. Backwards the
same matrices, transposed, lead the gradient to the coarse grid first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from napari_superres.data.boxes import Box
from napari_superres.scale_factor import ScaleFactor

Range = tuple[int, int]
TAPS = 3


def lower_source(out: int, factor: Fraction) -> tuple[int, Fraction]:
    """Return the lower of the two inputs of an output voxel and the upper one's weight."""
    source = (out + Fraction(1, 2)) / factor - Fraction(1, 2)
    lower = math.floor(source)
    return lower, source - lower


def trilinear_convolution(
    x_BCZYX: Tensor, conv: nn.Conv3d, factor: ScaleFactor, have: Box, middle: Box, out: Box
) -> Tensor:
    """Return a 3³ convolution of trilinearly up-sampled features, rounding aside.

    Parameters
    ----------
    x_BCZYX : features on the coarse grid, covering `have`
    conv : the convolution, with bias; its own padding is not used
    factor : of the up-sampling, align_corners=False
    have : coarse voxels; beyond them their border repeats
    middle : up-sampled voxels that the convolution may read; beyond them their
        border repeats
    out : voxels wanted, on the fine grid

    Returns
    -------
    (B, O, Z, Y, X), channels last in memory; of autocast's dtype where that is on
    """
    device = x_BCZYX.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x_BCZYX.dtype
    ranges = zip(have.ranges(), middle.ranges(), out.ranges(), factor, strict=True)
    maps = [interpolation(*axis).to(x_BCZYX.device, dtype) for axis in ranges]
    weight_OCKKK, bias_O = conv.weight.to(dtype), conv.bias
    assert bias_O is not None
    y_BZYXO: Tensor = _CoarseConvolution.apply(  # type: ignore[no-untyped-call]
        x_BCZYX.to(dtype).permute(0, 2, 3, 4, 1).contiguous(),
        weight_OCKKK.permute(2, 3, 1, 4, 0).contiguous(),
        bias_O.to(dtype),
        *maps,
    )
    return y_BZYXO.permute(0, 4, 1, 2, 3)


@lru_cache(maxsize=64)
@torch.inference_mode(False)  # what a generation leaves here, a training in float64 may take
def interpolation(have: Range, middle: Range, out: Range, factor: Fraction) -> Tensor:
    """Return the matrix (K, out, have) from coarse voxels, as each tap mixed them, to `out`.

    Each row of each tap adds up to 1. Parameters as for `trilinear_convolution`,
    along one axis.
    """
    matrix_KOI = torch.zeros(TAPS, out[1] - out[0], have[1] - have[0], dtype=torch.float64)
    for tap in range(TAPS):
        for row, voxel in enumerate(range(*out)):
            fine = min(max(voxel + tap - 1, middle[0]), middle[1] - 1)
            lower, upper_weight = lower_source(fine, factor)
            for coarse, weight in ((lower, 1 - upper_weight), (lower + 1, upper_weight)):
                column = min(max(coarse, have[0]), have[1] - 1) - have[0]
                matrix_KOI[tap, row, column] += float(weight)
    return matrix_KOI


class _CoarseConvolution(torch.autograd.Function):
    """y = Σ over taps of (Tz ⊗ Ty ⊗ Tx)(x · W + b); one volume at a time, to bound memory.

    Of the taps along x the products with W come out side by side, so that Tx takes
    them all in one product.
    """

    @staticmethod
    def forward(ctx: Any, x_BZYXC: Tensor, w_KKCKO: Tensor, b_O: Tensor, *maps: Tensor) -> Tensor:
        ctx.save_for_backward(x_BZYXC, w_KKCKO, *maps)
        sizes = [matrix_KOI.shape[1] for matrix_KOI in maps]
        y_BZYXO = x_BZYXC.new_empty(len(x_BZYXC), *sizes, len(b_O))
        for x_ZYXC, y_ZYXO in zip(x_BZYXC, y_BZYXO, strict=True):
            _forward_one(x_ZYXC, w_KKCKO, b_O, maps, y_ZYXO)
        return y_BZYXO

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x_BZYXC, w_KKCKO, *maps = ctx.saved_tensors
        d_x = torch.zeros_like(x_BZYXC)
        d_w = torch.zeros_like(w_KKCKO, dtype=_sum_dtype(w_KKCKO))
        d_b = d_w.new_zeros(w_KKCKO.shape[-1])
        for x_ZYXC, d_y, d_x_one in zip(x_BZYXC, gradients[0].contiguous(), d_x, strict=True):
            _backward_one(x_ZYXC, w_KKCKO, maps, d_y, (d_x_one, d_w, d_b))
        return d_x, d_w.to(w_KKCKO.dtype), d_b.to(w_KKCKO.dtype), *[None] * len(maps)


def _forward_one(
    x_ZYXC: Tensor, w_KKCKO: Tensor, b_O: Tensor, maps: tuple[Tensor, ...], y_ZYXO: Tensor
) -> None:
    (depth, rows, columns, _), width = x_ZYXC.shape, len(b_O)
    x_VC = x_ZYXC.view(depth * rows * columns, -1)
    along_z, along_y, along_x = maps[0], maps[1], _side_by_side(maps[2])
    # every row of a map adds up to 1, so the bias may come in here, on the middle tap
    bias = torch.cat([torch.zeros_like(b_O), b_O, torch.zeros_like(b_O)])
    y_ZN = y_ZYXO.view(len(y_ZYXO), -1)
    for tap_z in range(TAPS):
        plane = x_ZYXC.new_empty(depth, along_y.shape[1], len(along_x) * width)
        for tap_y in range(TAPS):
            w_CN = w_KKCKO[tap_z, tap_y].flatten(1)
            mixed = torch.addmm(bias, x_VC, w_CN) if tap_z == tap_y == 1 else x_VC @ w_CN
            mixed = mixed.view(depth * rows, columns * TAPS, width)
            line = torch.matmul(along_x, mixed).view(depth, rows, -1)
            map_y = along_y[tap_y].expand(depth, -1, -1)
            _accumulate(plane, map_y, line, first=tap_y == 0)
        _accumulate(y_ZN, along_z[tap_z], plane.view(depth, -1), first=tap_z == 0)


def _backward_one(
    x_ZYXC: Tensor,
    w_KKCKO: Tensor,
    maps: list[Tensor],
    d_y: Tensor,
    sums: tuple[Tensor, Tensor, Tensor],
) -> None:
    d_x, d_w, d_b = sums
    (depth, rows, columns, _), width = x_ZYXC.shape, len(d_b)
    x_VC, d_x_VC = (tensor.view(depth * rows * columns, -1) for tensor in (x_ZYXC, d_x))
    along_z, along_y, along_x = maps[0], maps[1], _side_by_side(maps[2])
    fine_rows, fine_columns = along_y.shape[1], len(along_x)
    for tap_z, tap_y, d_plane in _planes(along_z, d_y.view(len(d_y), -1)):
        d_line = torch.matmul(along_y[tap_y].T, d_plane.view(depth, fine_rows, -1))
        d_line = d_line.view(depth * rows, fine_columns, width)
        d_mixed = torch.matmul(along_x.T, d_line).view(depth * rows * columns, -1)
        w_CN = w_KKCKO[tap_z, tap_y].flatten(1)
        d_x_VC.addmm_(d_mixed, w_CN.T)
        d_w[tap_z, tap_y].add_((x_VC.T @ d_mixed).view(-1, TAPS, width))
        if tap_z == tap_y == 1:
            d_b.add_(d_mixed[:, width : 2 * width].sum(0, dtype=d_b.dtype))


def _planes(along_z: Tensor, d_y_ZN: Tensor) -> Iterator[tuple[int, int, Tensor]]:
    for tap_z in range(TAPS):
        d_plane = along_z[tap_z].T @ d_y_ZN
        for tap_y in range(TAPS):
            yield tap_z, tap_y, d_plane


def _accumulate(total: Tensor, a: Tensor, b: Tensor, *, first: bool) -> None:
    """Add a product of matrices, or of batches of them, to `total`; the first one sets it."""
    product = torch.bmm if total.dim() == 3 else torch.mm
    if first:
        product(a, b, out=total)
    elif total.dim() == 3:
        total.baddbmm_(a, b)
    else:
        total.addmm_(a, b)


def _side_by_side(map_KOI: Tensor) -> Tensor:
    """Return (O, I · K): the taps of an input voxel next to each other."""
    return map_KOI.permute(1, 2, 0).flatten(1).contiguous()


def _sum_dtype(tensor: Tensor) -> torch.dtype:
    return torch.promote_types(tensor.dtype, torch.float32)

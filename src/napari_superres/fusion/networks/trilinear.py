"""Trilinear up-sampling, and the 3³ convolution after it, in three orders.

Legend of shape suffixes: B batch, C channels in, O channels out, Z Y X voxels,
K taps of a kernel along one axis.

- `up_sample` makes the fine features, for a convolution after it: fastest on a GPU.
- `convolve_on_coarse_grid` trains on the CPU. Mixing channels and interpolating voxels
  commute. So the 27 taps are applied as products of matrices on the coarse grid (at ×2
  an eighth of the products, in a layer that is two thirds of the paper's network), and
  small matrices that hold the interpolation weights and the replicated faces carry the
  results to the fine grid, axis by axis. The wide up-sampled input is never made.
  Backwards the same matrices, transposed, carry the gradient to the coarse grid first.
- `TrilinearConvolution` generates: the same order, but every voxel is summed in the same
  way whatever the tile.
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
from napari_superres.fusion.networks.blocks import Block, Noise, replicate_to
from napari_superres.scale_factor import ScaleFactor

Range = tuple[int, int]
TAPS = 3


def lower_source(out: int, factor: Fraction) -> tuple[int, Fraction]:
    """Return the lower of the two inputs of an output voxel and the upper one's weight."""
    source = (out + Fraction(1, 2)) / factor - Fraction(1, 2)
    lower = math.floor(source)
    return lower, source - lower


def coarse_box(fine: Box, factor: ScaleFactor) -> Box:
    """Return the coarse voxels that up-sampling reads for a box of fine ones."""
    return Box.of_ranges(
        (lower_source(lo, part)[0], lower_source(hi - 1, part)[0] + 2)
        for (lo, hi), part in zip(fine.ranges(), factor, strict=True)
    )


def fine_box(coarse: Box, factor: ScaleFactor) -> Box:
    """Return the fine voxels that lie wholly inside a box of coarse ones."""
    return Box.of_ranges(
        (math.ceil(lo * part), math.floor(hi * part))
        for (lo, hi), part in zip(coarse.ranges(), factor, strict=True)
    )


def up_sample(x_BCZYX: Tensor, factor: ScaleFactor, have: Box, want: Box) -> Tensor:
    """Return the fine voxels `want` of features that cover the coarse ones `have`."""
    for axis, ((lo, hi), part) in enumerate(zip(want.ranges(), factor, strict=True)):
        first = have.start[axis]
        if part == 1:
            x_BCZYX = x_BCZYX.narrow(axis + 2, lo - first, hi - lo)
            continue
        pairs = [lower_source(index, part) for index in range(lo, hi)]
        lower = torch.tensor([pair[0] - first for pair in pairs], device=x_BCZYX.device)
        shape = [1, 1, 1, 1, 1]
        shape[axis + 2] = hi - lo
        weight = torch.tensor(
            [float(pair[1]) for pair in pairs], dtype=x_BCZYX.dtype, device=x_BCZYX.device
        ).view(shape)
        x_BCZYX = torch.lerp(
            x_BCZYX.index_select(axis + 2, lower), x_BCZYX.index_select(axis + 2, lower + 1), weight
        )
    return x_BCZYX


def convolve_on_coarse_grid(
    x_BCZYX: Tensor, conv: nn.Conv3d, factor: ScaleFactor, have: Box, middle: Box, out: Box
) -> Tensor:
    """Return a 3³ convolution of trilinearly up-sampled features, up to rounding.

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

    Each row of each tap adds up to 1. Parameters as for `convolve_on_coarse_grid`,
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


class TrilinearConvolution(Block):
    """Trilinear up-sampling, 3³ convolution and ReLU of a network that generates.

    The 27 taps are applied on the coarse grid, and their results are interpolated to
    where the taps look, axis by axis. Sums are float32, so bfloat16 loses less than in
    the plain order.

    Parameters
    ----------
    conv : the convolution, with bias; batch normalisation is folded into it
    factor : of the up-sampling
    """

    weights: Tensor
    bias: Tensor

    def __init__(self, conv: nn.Conv3d, factor: ScaleFactor) -> None:
        super().__init__()
        self.factor = factor
        assert conv.bias is not None
        weight_OIKKK = conv.weight.detach()
        self.register_buffer("weights", weight_OIKKK.permute(2, 3, 4, 1, 0).contiguous())
        self.register_buffer("bias", conv.bias.detach())

    def inputs(self, out: Box) -> Box:
        """Return the coarse voxels that `out` depends on."""
        return coarse_box(out.grown(1), self.factor)

    def forward(self, x_BCZYX: Tensor, have: Box, want: Box, noise: Noise) -> Tensor:
        """Return the fine features of `want`, after a ReLU."""
        needed = self.inputs(want)
        batch_BZYXC = replicate_to(x_BCZYX, have, needed).permute(0, 2, 3, 4, 1).contiguous()
        y_BZYXC = torch.stack([self._one(x_ZYXC, want, needed.start) for x_ZYXC in batch_BZYXC])
        return y_BZYXC.relu_().to(x_BCZYX.dtype).permute(0, 4, 1, 2, 3)

    def _one(self, x_ZYXC: Tensor, out: Box, start: tuple[int, int, int]) -> Tensor:
        z, y, _ = x_ZYXC.shape[:3]
        _, rows, columns = out.shape
        width = len(self.bias)
        done = x_ZYXC.new_empty((*out.shape, width), dtype=torch.float32)
        done[:] = self.bias
        plane = x_ZYXC.new_empty((z, rows, columns, width), dtype=torch.float32)
        line = x_ZYXC.new_empty((z, y, columns, width), dtype=torch.float32)
        for tap_z in range(3):
            plane.zero_()
            for tap_y in range(3):
                line.zero_()
                for tap_x in range(3):
                    mixed = (x_ZYXC @ self.weights[tap_z, tap_y, tap_x]).float()
                    self._interpolate(line, mixed, 2, out, tap_x, start)
                self._interpolate(plane, line, 1, out, tap_y, start)
            self._interpolate(done, plane, 0, out, tap_z, start)
        return done

    def _interpolate(
        self, fine: Tensor, coarse: Tensor, axis: int, out: Box, tap: int, start: tuple[int, ...]
    ) -> None:
        """Add to `fine` what `coarse` is, along `axis`, at the voxels that `tap` looks at.

        With a factor p/q every p-th fine voxel has the same two weights, and its
        coarse neighbours are q apart: p strided sums do it all.
        """
        step, stride = self.factor[axis].numerator, self.factor[axis].denominator
        first = out.start[axis]
        for phase in range(min(step, out.shape[axis])):
            count = len(range(phase, out.shape[axis], step))
            lower, weight = lower_source(first + phase + tap - 1, self.factor[axis])
            at = lower - start[axis]
            target = _every(fine, axis, phase, step, count)
            target.add_(_every(coarse, axis, at, stride, count), alpha=float(1 - weight))
            if weight != Fraction(0):
                above = _every(coarse, axis, at + 1, stride, count)
                target.add_(above, alpha=float(weight))


def _every(tensor: Tensor, axis: int, first: int, step: int, count: int) -> Tensor:
    """Return `count` slices along `axis`, `step` apart."""
    return tensor[(slice(None),) * axis + (slice(first, first + step * (count - 1) + 1, step),)]

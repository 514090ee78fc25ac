"""How fast volumes are generated, beside the reference's scheme in the same run.

    python benchmarks/generation.py                     # case 3's size: 62³ low-res, scale factor 4
    python benchmarks/generation.py --reference-tiles 2 # the reference extrapolated from two tiles
    python benchmarks/generation.py --low-res 24        # quicker, less true
    python benchmarks/generation.py --device cuda       # on a GPU
    python benchmarks/generation.py --stream 128        # to an 8× OME-Zarr of 1024³: memory, pace
    python benchmarks/generation.py --bigtiff 4.3       # a TIFF file of so many GiB, read back
    python benchmarks/generation.py --bf16 RUN          # what bfloat16 costs a trained network

Weights are random but in the last: neither time nor memory depends on them. Each row is a
process of its own, so that its peak memory (the largest resident set) is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

REFERENCE_TILE, SCALE_FACTOR, STREAM_FACTOR = 128, 4, 8
SMALL_STREAM = 32
PAPERS_LARGEST = 1920
ROWS = {
    "reference": "paper, half-overlapping 128³, float32",
    "paper-float32": "paper, float32",
    "paper-bfloat16": "paper, bfloat16",
    "quick-float32": "quick, float32",
    "quick-bfloat16": "quick, bfloat16",
}
Found = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--low-res", type=int, default=62, metavar="SIDE")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--reference-tiles", type=int, metavar="N", help="tiles of the reference that are timed"
    )
    parser.add_argument(
        "--part", type=int, metavar="SIDE", help="time the paper's rows on so many low-res voxels"
    )
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--stream", type=int, metavar="SIDE", help="low-res side")
    parser.add_argument("--precision", default="auto", help="of --stream")
    parser.add_argument("--bigtiff", type=float, metavar="GIB")
    parser.add_argument("--bf16", type=Path, metavar="RUN")
    parser.add_argument("--folder", type=Path, help="where --stream and --bigtiff write")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(options.one, options)))
    elif options.stream:
        stream(options)
    elif options.bigtiff:
        report_bigtiff(in_own_process("bigtiff"))
    elif options.bf16:
        compare_precisions(options.bf16, options.part)
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Print a table of times and their ratio to the reference's."""
    size = options.low_res * SCALE_FACTOR
    print(f"{options.low_res}³ to {size}³ voxels, scale factor {SCALE_FACTOR}, {options.device}")
    print(f"{'':40} {'seconds':>9} {'voxels/s':>12} {'peak GiB':>9} {'faster':>8}")
    reference = None
    for row in options.rows:
        found = in_own_process(row)
        seconds = found["seconds"]
        reference = seconds if row == "reference" else reference
        ratio = f"{reference / seconds:7.1f}x" if reference else ""
        pace = size**3 / seconds
        print(f"{ROWS[row]:40} {seconds:9.1f} {pace:12,.0f} {found['gib']:9.2f} {ratio:>8}")
        if "note" in found:
            print(f"  {found['note']}", flush=True)


def in_own_process(row: str, **changes: object) -> Found:
    """Run one row with this process's own options, but for `changes`."""
    command = [sys.executable, __file__, *sys.argv[1:], "--one", row]
    for name, value in changes.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_one(row: str, options: argparse.Namespace) -> Found:
    if row == "reference":
        found = reference_scheme(options)
    elif row == "stream":
        found = stream_to_zarr(options)
    elif row == "bigtiff":
        found = write_bigtiff(options.bigtiff, options.folder)
    else:
        found = our_scheme(*row.split("-"), options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"gib": peak} | found | device_memory(options.device)


def device_memory(device: str) -> Found:
    """Return the peak memory of a GPU, which counts in place of the process's."""
    if not device.startswith("cuda"):
        return {}
    import torch

    return {"gib": torch.cuda.max_memory_allocated() / 2**30}


def volume_of(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 3, (side,) * 3).astype(np.uint8)


def generator_of(preset: str, scale_factor: int = SCALE_FACTOR):  # type: ignore[no-untyped-def]
    from napari_superres.config import PRESETS, Preset
    from napari_superres.fusion.generator_designs import build_generator
    from napari_superres.scale_factor import parse_scale_factor

    return build_generator(PRESETS[Preset(preset)], parse_scale_factor(scale_factor), 3, 3).eval()


def reference_scheme(options: argparse.Namespace) -> Found:
    """Time the reference's scheme: 128³ tiles, each generated on its own, stride half a tile.

    Transcribed from the method's public description, in plain torch: every tile is a
    small volume with its own padding; argmax of the softmax; of tiles that overlap,
    each gives the half in its middle, or what reaches the volume's face. With
    --reference-tiles only so many are timed, the rest is the same work again.
    """
    import torch

    low_res, device = options.low_res, torch.device(options.device)
    side = min(REFERENCE_TILE // SCALE_FACTOR, low_res)
    starts = sorted({*range(0, low_res - side, side // 2), low_res - side})
    places = list(product(starts, repeat=3))
    generator = papers_network(3, 3).to(device).eval()
    volume = torch.from_numpy(volume_of(low_res)).to(device)
    result = np.empty((low_res * SCALE_FACTOR,) * 3, np.uint8)
    timed = []
    with torch.inference_mode():
        for place in places[: options.reference_tiles]:
            began = time.perf_counter()
            crop = volume[tuple(slice(first, first + side) for first in place)].long()
            one_hot = torch.nn.functional.one_hot(crop, 3).permute(3, 0, 1, 2)[None].float()
            noise = torch.randn(1, 1, *crop.shape, device=device)
            phases = generator(torch.cat([one_hot, noise], 1)).softmax(1).argmax(1)
            tile = phases[0].to(torch.uint8).cpu().numpy()
            kept = [_kept(first, side, low_res) for first in place]
            target = tuple(
                slice((f + a) * SCALE_FACTOR, (f + b) * SCALE_FACTOR)
                for f, (a, b) in zip(place, kept, strict=True)
            )
            result[target] = tile[tuple(slice(a * SCALE_FACTOR, b * SCALE_FACTOR) for a, b in kept)]
            timed.append(time.perf_counter() - began)
    note = f"{len(timed)} of {len(places)} tiles timed, {np.mean(timed):.1f} s each"
    return {"seconds": float(np.mean(timed)) * len(places), "note": note}


def _kept(first: int, side: int, low_res: int) -> tuple[int, int]:
    """Return the part of a tile that is kept along one axis, in low-res voxels."""
    lowest = 0 if first == 0 else side // 4
    return lowest, side if first + side == low_res else side - side // 4


def papers_network(low_phases: int, high_phases: int) -> Any:
    """Return the paper's generator at scale factor 4, layer by layer as the paper has it."""
    import torch
    from torch import nn

    def convolution(c_in: int, c_out: int) -> list[nn.Module]:
        padded = nn.Conv3d(c_in, c_out, 3, padding=1, padding_mode="replicate")
        return [padded, nn.BatchNorm3d(c_out)]

    class PapersNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Sequential(*convolution(low_phases + 1, 256), nn.ReLU())
            self.block = nn.Sequential(*convolution(256, 256), nn.ReLU(), *convolution(256, 256))
            self.transposed = nn.Sequential(
                nn.ConvTranspose3d(256, 128, 4, 2, 1), nn.BatchNorm3d(128), nn.ReLU()
            )
            self.last = nn.Sequential(
                nn.Upsample(scale_factor=2, mode="trilinear"),
                *convolution(128, 64),
                nn.ReLU(),
                nn.Conv3d(64, high_phases, 3, padding=1, padding_mode="replicate"),
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            first = self.first(x)
            residual = torch.relu(first + self.block(first))
            return self.last(self.transposed(residual + first))

    return PapersNetwork()


def our_scheme(preset: str, precision: str, options: argparse.Namespace) -> Found:
    from napari_superres.config import GenerationSettings
    from napari_superres.data.phases import phases_from_values
    from napari_superres.data.volumes import SegmentedVolume
    from napari_superres.generation.volume import generate_volume

    low_res = options.low_res
    part = options.part if preset == "paper" else None
    volume = SegmentedVolume.from_labels(volume_of(low_res))
    settings = GenerationSettings(precision=precision)
    if part is not None:
        settings = settings.replace(region=_middle([low_res] * 3, part))
    phases = phases_from_values([0, 1, 2])
    generator = generator_of(preset)
    began = time.perf_counter()
    for _ in generate_volume(generator, volume, phases, settings, options.device):
        pass
    seconds = time.perf_counter() - began
    if part is None:
        return {"seconds": seconds}
    note = f"{part}³ of {low_res}³ low-res voxels timed: {seconds:.1f} s"
    return {"seconds": seconds * (low_res / part) ** 3, "note": note}


def _middle(shape: Sequence[int], part: int) -> Any:
    starts = [max((size - part) // 2, 0) for size in shape]
    return tuple(
        (first, min(first + part, size)) for first, size in zip(starts, shape, strict=True)
    )


def stream(options: argparse.Namespace) -> None:
    """Stream a small and a large volume to disk; estimate the paper's largest."""
    print(f"quick, {STREAM_FACTOR}x, {options.device}, streamed to OME-Zarr, all levels")
    paces = []
    for side in (min(SMALL_STREAM, options.stream), options.stream):
        found = in_own_process("stream", low_res=side)
        size = STREAM_FACTOR * side
        paces.append(size**3 / found["seconds"])
        print(
            f"{side}³ to {size}³: {found['seconds']:.1f} s, {paces[-1]:,.0f} voxels/s, "
            f"peak {found['gib']:.2f} GiB, {found['megabytes']:.0f} MB on disk "
            f"({found['precision']})",
            flush=True,
        )
    print(f"pace of the large over that of the small volume: {paces[1] / paces[0]:.3f}")
    voxels = PAPERS_LARGEST**3
    print(
        f"estimate for {PAPERS_LARGEST}³: {voxels:,} voxels / {paces[1]:,.0f} voxels/s = "
        f"{voxels / paces[1] / 3600:.1f} h; "
        f"{found['megabytes'] / 1e3 * voxels / size**3:.1f} GB on disk with random weights; "
        f"memory as above, but for "
        f"{(PAPERS_LARGEST // STREAM_FACTOR) ** 3 / 1e6:.0f} MB of low-res labels"
    )


def stream_to_zarr(options: argparse.Namespace) -> Found:
    from napari_superres.config import GenerationSettings
    from napari_superres.data.phases import phases_from_values
    from napari_superres.data.volumes import SegmentedVolume
    from napari_superres.generation.volume import generate_volume
    from napari_superres.runs.device import arithmetic

    volume = SegmentedVolume.from_labels(volume_of(options.low_res))
    settings = GenerationSettings(precision=options.precision)
    generator, phases = generator_of("quick", STREAM_FACTOR), phases_from_values([0, 1, 2])
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        output = Path(folder) / "sr.zarr"
        began = time.perf_counter()
        for _ in generate_volume(
            generator, volume, phases, settings, options.device, output=output
        ):
            pass
        seconds = time.perf_counter() - began
        written = sum(file.stat().st_size for file in output.rglob("*") if file.is_file())
    precision = str(arithmetic(options.precision, options.device)).removeprefix("torch.")
    return {"seconds": seconds, "megabytes": written / 1e6, "precision": precision}


def write_bigtiff(gib: float, folder: Path | None) -> Found:
    """Write made-up labels through the whole way to TIFF but for the network; read them back."""
    import tifffile

    from napari_superres.data.boxes import Box
    from napari_superres.data.phases import phases_from_values
    from napari_superres.generation.description import Description
    from napari_superres.generation.noise import NoiseField
    from napari_superres.generation.stream import Block, Generated
    from napari_superres.generation.stream import stream as run_stream
    from napari_superres.generation.tiff_sink import TiffSink

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
        sink, noise = TiffSink(path, result, description), NoiseField(0)
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


def report_bigtiff(found: Found) -> None:
    voxels = int(np.prod(found["shape"], dtype=np.int64))
    print(
        f"{found['shape']} {found['axes']}, {voxels / 2**30:.2f} GiB of voxels: BigTIFF "
        f"{found['bigtiff']}, OME-XML {found['ome']}, {found['gb']:.2f} GB compressed, "
        f"{found['seconds']:.0f} s, peak {found['gib']:.2f} GiB, longest silence "
        f"{found['longest']:.1f} s; first, middle and last plane read back as written"
    )


def compare_precisions(run: Path, part: int | None) -> None:
    """Print the share of voxels whose label differs between float32 and bfloat16."""
    from napari_superres.config import GenerationSettings
    from napari_superres.generation.render import generate
    from napari_superres.runs.folder import RunFolder

    folder = RunFolder.open(run)
    shape, phases = folder.low_res().shape, folder.config.high_res_phases
    settings = GenerationSettings(region=None if part is None else _middle(shape, part))
    labels, seconds = [], []
    for precision in ("float32", "bfloat16"):
        began = time.perf_counter()
        events = list(generate(run, settings.replace(precision=precision)))
        seconds.append(time.perf_counter() - began)
        labels.append(events[-1].labels)  # type: ignore[union-attr]
    exact, fast = labels
    assert exact is not None
    assert fast is not None
    print(
        f"{exact.shape} voxels: {np.mean(exact != fast):.3%} have another label in bfloat16; "
        f"{seconds[0]:.1f} s in float32, {seconds[1]:.1f} s in bfloat16"
    )
    for index, phase in enumerate(phases):
        shares = [float(np.mean(found == index)) for found in labels]
        print(f"  {phase.name:24} {shares[0]:.5f} {shares[1]:.5f} {shares[1] - shares[0]:+.5f}")


if __name__ == "__main__":
    main()

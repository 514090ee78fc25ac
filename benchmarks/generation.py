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
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _bigtiff import report_bigtiff, write_bigtiff
from _peak import peak_bytes

SCALE_FACTOR, STREAM_FACTOR = 4, 8
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
        from _reference_scheme import reference_scheme

        volume = volume_of(options.low_res)
        found = reference_scheme(volume, SCALE_FACTOR, options.device, options.reference_tiles)
    elif row == "stream":
        found = stream_to_zarr(options)
    elif row == "bigtiff":
        found = write_bigtiff(options.bigtiff, options.folder)
    else:
        found = our_scheme(*row.split("-"), options)
    return {"gib": peak_bytes() / 2**30} | found | device_memory(options.device)


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
    from napari_superres.fusion.networks.designs import build_generator
    from napari_superres.scale_factor import parse_scale_factor

    return build_generator(PRESETS[Preset(preset)], parse_scale_factor(scale_factor), 3, 3).eval()


def our_scheme(preset: str, precision: str, options: argparse.Namespace) -> Found:
    from napari_superres.config import GenerationSettings
    from napari_superres.data.phases import phases_from_values
    from napari_superres.data.volumes import SegmentedVolume
    from napari_superres.generation.job import Job
    from napari_superres.generation.render import generate_volume

    low_res = options.low_res
    part = options.part if preset == "paper" else None
    volume = SegmentedVolume.from_labels(volume_of(low_res))
    settings = GenerationSettings(precision=precision)
    if part is not None:
        settings = settings.replace(region=_middle([low_res] * 3, part))
    phases = phases_from_values([0, 1, 2])
    generator = generator_of(preset)
    began = time.perf_counter()
    for _ in generate_volume(Job(generator, volume, phases, settings, options.device)):
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
    from napari_superres.generation.job import Job
    from napari_superres.generation.render import generate_volume
    from napari_superres.runs.device import arithmetic

    volume = SegmentedVolume.from_labels(volume_of(options.low_res))
    settings = GenerationSettings(precision=options.precision)
    generator, phases = generator_of("quick", STREAM_FACTOR), phases_from_values([0, 1, 2])
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        output = Path(folder) / "sr.zarr"
        began = time.perf_counter()
        job = Job(generator, volume, phases, settings, options.device)
        for _ in generate_volume(job, output):
            pass
        seconds = time.perf_counter() - began
        written = sum(file.stat().st_size for file in output.rglob("*") if file.is_file())
    precision = str(arithmetic(options.precision, options.device)).removeprefix("torch.")
    return {"seconds": seconds, "megabytes": written / 1e6, "precision": precision}


def compare_precisions(run: Path, part: int | None) -> None:
    """Print the share of voxels whose label differs between float32 and bfloat16."""
    from napari_superres.config import GenerationSettings
    from napari_superres.generation.render import generate
    from napari_superres.runs.config import FUSION, HIGH_RES
    from napari_superres.runs.run import Run

    folder = Run.open(run, FUSION)
    shape, phases = folder.low_res().shape, folder.kept(HIGH_RES).phases
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

"""How fast volumes are generated, beside the reference's scheme in the same run.

    python benchmarks/generation.py                        # a 62³ low-res at scale factor 4
    python benchmarks/generation.py --low-res 24           # quicker, less true
    python benchmarks/generation.py --reference-tiles 27   # time all tiles of the reference
    python benchmarks/generation.py --stream 128           # to an 8× OME-Zarr, memory and pace

Weights are random: neither time nor memory depends on them. Each row is a process
of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

REFERENCE_TILE, SCALE_FACTOR = 128, 4
ROWS = {
    "reference": "paper, half-overlapping 128³, float32",
    "paper-float32": "paper, float32",
    "paper-bfloat16": "paper, bfloat16",
    "quick-float32": "quick, float32",
    "quick-bfloat16": "quick, bfloat16",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--low-res", type=int, default=62)
    parser.add_argument("--reference-tiles", type=int, default=1)
    parser.add_argument(
        "--part", type=int, help="low-res side of the part timed with the paper's network"
    )
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--stream", type=int, metavar="SIDE")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(options.one, options)))
    elif options.stream:
        for side in (32, options.stream):
            report_stream(side, in_own_process("stream", side))
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Print a table of times and their ratio to the reference's."""
    size = options.low_res * SCALE_FACTOR
    print(f"{options.low_res}³ to {size}³ voxels, scale factor {SCALE_FACTOR}")
    print(f"{'':40} {'seconds':>9} {'voxels/s':>12} {'peak GiB':>9} {'faster':>8}")
    reference = None
    for row in options.rows:
        found = in_own_process(row, options.low_res, options.reference_tiles, options.part)
        seconds = found["seconds"]
        reference = seconds if row == "reference" else reference
        ratio = f"{reference / seconds:7.1f}x" if reference else ""
        pace = size**3 / seconds
        print(f"{ROWS[row]:40} {seconds:9.1f} {pace:12,.0f} {found['gib']:9.2f} {ratio:>8}")
        if "note" in found:
            print(f"  {found['note']}")


def in_own_process(
    row: str, low_res: int, tiles: int = 1, part: int | None = None
) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", row, "--low-res", str(low_res)]
    command += ["--reference-tiles", str(tiles), *(["--part", str(part)] if part else [])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_one(row: str, options: argparse.Namespace) -> dict[str, float | str]:
    if row == "reference":
        found = reference_scheme(options.low_res, options.reference_tiles)
    elif row == "stream":
        found = stream_to_zarr(options.low_res)
    else:
        preset, precision = row.split("-")
        part = options.part if preset == "paper" else None
        found = our_scheme(preset, precision, options.low_res, part)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**found, "gib": peak / 2**20}


def volume_of(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 3, (side,) * 3).astype(np.uint8)


def generator_of(preset: str, scale_factor: int = SCALE_FACTOR):  # type: ignore[no-untyped-def]
    from napari_superres.config import PRESETS, Preset
    from napari_superres.fusion.generator import build_generator
    from napari_superres.scale_factor import parse_scale_factor

    return build_generator(PRESETS[Preset(preset)], parse_scale_factor(scale_factor), 3, 3).eval()


def reference_scheme(low_res: int, tiles: int) -> dict[str, float | str]:
    """Time the reference's scheme: 128³ tiles, each generated on its own, stride half a tile.

    Transcribed from the method's public description: every tile is a small volume
    with its own padding, of which the middle is kept; argmax of the softmax. Only
    `tiles` of them are timed, the rest is the same work again.
    """
    import torch

    from napari_superres.data.boxes import Box

    side = REFERENCE_TILE // SCALE_FACTOR
    starts = [*range(0, max(low_res - side, 0), side // 2), max(low_res - side, 0)]
    total = len(starts) ** 3
    generator, volume = generator_of("paper"), torch.from_numpy(volume_of(low_res))
    size = min(side, low_res)
    out = Box.whole((size * SCALE_FACTOR,) * 3)
    timed = []
    with torch.inference_mode():
        for _ in range(min(tiles, total)):
            began = time.perf_counter()
            crop = volume[:size, :size, :size].long()
            one_hot = torch.nn.functional.one_hot(crop, 3).permute(3, 0, 1, 2)[None].float()
            generator(one_hot, out, crop.shape, _fresh_noise).argmax(1).to(torch.uint8)
            timed.append(time.perf_counter() - began)
    return {
        "seconds": float(np.mean(timed)) * total,
        "note": f"{len(timed)} of {total} tiles timed, {np.mean(timed):.1f} s each",
    }


def _fresh_noise(layer, box, like):  # type: ignore[no-untyped-def]
    import torch

    return torch.randn(len(like), 1, *box.shape, dtype=like.dtype)


def our_scheme(
    preset: str, precision: str, low_res: int, part: int | None
) -> dict[str, float | str]:
    from napari_superres.config import GenerationSettings
    from napari_superres.data.phases import phases_from_values
    from napari_superres.data.volumes import SegmentedVolume
    from napari_superres.generation.volume import generate_volume

    volume = SegmentedVolume.from_labels(volume_of(low_res))
    settings = GenerationSettings(precision=precision)
    if part is not None:
        start = (low_res - part) // 2
        settings = settings.replace(region=((start, start + part),) * 3)
    began = time.perf_counter()
    phases = phases_from_values([0, 1, 2])
    for _ in generate_volume(generator_of(preset), volume, phases, settings):
        pass
    seconds = time.perf_counter() - began
    if part is None:
        return {"seconds": seconds}
    note = f"{part}³ of {low_res}³ low-res voxels timed: {seconds:.1f} s"
    return {"seconds": seconds * (low_res / part) ** 3, "note": note}


def stream_to_zarr(low_res: int) -> dict[str, float | str]:
    from napari_superres.config import GenerationSettings
    from napari_superres.data.phases import phases_from_values
    from napari_superres.data.volumes import SegmentedVolume
    from napari_superres.generation.volume import generate_volume

    volume = SegmentedVolume.from_labels(volume_of(low_res))
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "sr.zarr"
        began = time.perf_counter()
        phases = phases_from_values([0, 1, 2])
        generator = generator_of("quick", 8)
        for _ in generate_volume(generator, volume, phases, GenerationSettings(), output=output):
            pass
        seconds = time.perf_counter() - began
        written = sum(file.stat().st_size for file in output.rglob("*") if file.is_file())
    return {"seconds": seconds, "megabytes": written / 1e6}


def report_stream(side: int, found: dict[str, float]) -> None:
    pace = (8 * side) ** 3 / found["seconds"]
    print(
        f"quick, 8x, {side}³ to {8 * side}³ OME-Zarr: {found['seconds']:.1f} s, "
        f"{pace:,.0f} voxels/s, peak {found['gib']:.2f} GiB, {found['megabytes']:.0f} MB on disk"
    )


if __name__ == "__main__":
    main()

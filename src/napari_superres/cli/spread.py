"""Several realisations: where they are written, and how their measures are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from napari_superres.errors import OutputError

TITLES = {
    "volume_fractions": "volume fraction",
    "interface_areas": "interface area (share of voxel faces)",
}
KINDS = (".tif", ".tiff", ".zarr")


def realisations_folder(output: Path) -> Path:
    """Return the folder that several realisations go to: the output without its ending.

    Raises
    ------
    OutputError
        A file of that name is in the way.
    """
    folder = output.with_suffix("") if output.suffix.lower() in KINDS else output
    if folder.exists() and not folder.is_dir():
        raise OutputError(
            f"{folder} is a file.",
            "Several realisations are written into a folder of that name.",
            "Choose another --output.",
        )
    return folder


def spread_lines(folder: Path) -> Iterator[str]:
    """Yield mean and standard deviation of every measure over the realisations of a folder."""
    spread = json.loads((folder / "spread.json").read_text(encoding="utf-8"))
    count = len(spread["seeds"])
    yield f"{'':34}{'mean':>16}{'sd of ' + str(count):>16}"
    for key, title in TITLES.items():
        yield title
        for name, found in spread[key].items():
            yield f"  {name:32}{found['mean']:16.4f}{found['sd']:16.4f}"

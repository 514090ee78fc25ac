"""Files and run folders as layers: for File › Open, and for the buttons of the Data step; no Qt.

Files and folders of this project keep their place and the phases' names and colours. Of a
person's own files the voxel size is read, which napari's TIFF reader drops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from napari_superres.data.files.segmented import read_slices, read_volume
from napari_superres.widgets.data.examples import example_layers
from napari_superres.widgets.layers.files import is_ours, read_result
from napari_superres.widgets.layers.notes import HIGH_RES, LOW_RES
from napari_superres.widgets.layers.shown import (
    LayerTuple,
    phase_layer,
    placed_by,
    stacked,
    with_path,
)
from napari_superres.widgets.parts.paths import KINDS

FILES = "Segmented images (*.tif *.tiff *.npy *.zarr zarr.json .zattrs .zgroup)"
"""An OME-Zarr volume is a folder, into which a dialog for files leads: see `named_path`."""
WITHIN = ("zarr.json", ".zattrs", ".zgroup")

Paths = str | Sequence[str]
Reader = Callable[[Paths], list[LayerTuple]]


def get_reader(path: Paths) -> Reader | None:
    """Return a reader for files and run folders of this project, None for all others."""
    paths = _listed(path)
    return read_layers if paths and all(is_run(one) or is_ours(one) for one in paths) else None


def read_layers(path: Paths) -> list[LayerTuple]:
    """Read files and run folders of this project; InputError for damaged ones."""
    layers = []
    for one in _listed(path):
        layers += run_layers(one) if is_run(one) else [read_result(one)]
    return layers


def is_run(path: str | Path) -> bool:
    """Whether a path is a run folder, judged by its files' names."""
    folder = Path(path)
    return (folder / "config.json").is_file() and (folder / "inputs").is_dir()


def run_layers(path: str | Path) -> list[LayerTuple]:
    """Return a run's inputs, and above them the volumes that lie in its folder."""
    from napari_superres.data.examples.pair import Example
    from napari_superres.data.pair import Pair
    from napari_superres.data.volumes import SegmentedSlices
    from napari_superres.runs import config
    from napari_superres.runs.run import Run

    run = Run.open(path, config.FUSION)
    none = SegmentedSlices(((),), run.kept(config.HIGH_RES).phases)
    slices = run.high_res() if run.has_slices else none
    layers = example_layers(Example(Pair(run.low_res(), slices), None, run.settings))
    for file in sorted(Path(path).iterdir()):
        if file.suffix.lower() in KINDS and not file.name.startswith(".") and is_ours(file):
            layers.append(read_result(file))
    return layers


def _listed(path: Paths) -> list[str]:
    return [path] if isinstance(path, str) else list(path)


def volume_layers(path: Path) -> list[LayerTuple]:
    """Read a person's low-res volume as a layer."""
    path = named_path(path)
    volume = read_volume(path)
    placed = placed_by(volume.voxel_size, 3)
    layer = phase_layer(volume.labels, volume.phases, path.stem, LOW_RES, **placed)
    return [with_path(layer, path)]


def slices_layers(paths: Sequence[Path]) -> list[LayerTuple]:
    """Read a person's high-res slices, a layer for each file; images of one size as a stack."""
    layers = []
    for path in map(named_path, paths):
        slices = read_slices([path])
        for array in stacked(slices.sets[0]):
            placed = placed_by(slices.voxel_size, array.ndim)
            layer = phase_layer(array, slices.phases, path.stem, HIGH_RES, **placed)
            layers.append(with_path(layer, path))
    return layers


def named_path(path: Path) -> Path:
    """Return the OME-Zarr folder that a file chosen within it stands for, else the path."""
    return path.parent if path.name in WITHIN and path.parent.suffix == ".zarr" else path

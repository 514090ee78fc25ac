"""Open this project's own files and run folders in napari."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from napari_superres.widgets.result_layers import is_ours, read_result
from napari_superres.widgets.samples import LayerTuple, example_layers

Paths = str | Sequence[str]
Reader = Callable[[Paths], list[LayerTuple]]
KINDS = (".tif", ".tiff", ".zarr")


def get_reader(path: Paths) -> Reader | None:
    """Return a reader for files and run folders of this project, None for all others."""
    paths = _listed(path)
    return read_layers if paths and all(is_run(one) or is_ours(one) for one in paths) else None


def read_layers(path: Paths) -> list[LayerTuple]:
    """Read files and run folders into layers in their place, with phases' names and colours.

    Raises
    ------
    InputError
        A file that is damaged or holds a label without a phase.
    """
    layers = []
    for one in _listed(path):
        layers += run_layers(one) if is_run(one) else [read_result(one)]
    return layers


def is_run(path: str | Path) -> bool:
    """Whether a path is a run folder, as far as can be told without reading it."""
    folder = Path(path)
    return (folder / "config.json").is_file() and (folder / "inputs").is_dir()


def run_layers(path: str | Path) -> list[LayerTuple]:
    """Return a run's inputs, and above them the volumes that lie in its folder.

    Raises
    ------
    InputError
        The run or one of its volumes is damaged.
    """
    from napari_superres.data.examples import Example
    from napari_superres.data.volumes import SegmentedSlices
    from napari_superres.runs.folder import RunFolder

    run = RunFolder.open(path)
    none = SegmentedSlices(((),), run.config.high_res_phases)
    slices = run.high_res() if run.has_slices else none
    layers = example_layers(Example(run.low_res(), slices, None, run.config.settings))
    for file in sorted(Path(path).iterdir()):
        if file.suffix.lower() in KINDS and not file.name.startswith(".") and is_ours(file):
            layers.append(read_result(file))
    return layers


def _listed(path: Paths) -> list[str]:
    return [path] if isinstance(path, str) else list(path)

"""Open this project's TIFF files with their voxel size, phase names and colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from napari_superres.data.tiff import read_tiff_metadata
from napari_superres.errors import InputError
from napari_superres.widgets.input_roles import SUPER_RES
from napari_superres.widgets.samples import LayerTuple, phase_layer

Reader = Callable[[str | Sequence[str]], list[LayerTuple]]


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Return a reader for TIFF files written by this project, None for all others."""
    paths = [path] if isinstance(path, str) else list(path)
    try:
        ours = all(read_tiff_metadata(one).phases for one in paths)
    except InputError:
        return None
    return read_layers if ours and paths else None


def read_layers(path: str | Sequence[str]) -> list[LayerTuple]:
    """Read files into Labels layers that show phase indices as index + 1.

    Raises
    ------
    InputError
        A file that is damaged or holds a label without a phase.
    """
    from napari_superres.data.files import read_volume

    layers = []
    for one in [path] if isinstance(path, str) else path:
        metadata = read_tiff_metadata(one)
        volume = read_volume(one, phases=metadata.phases)
        size = metadata.voxel_size
        placed = {"scale": size or (1.0,) * 3, "units": ("um" if size else "pixel",) * 3}
        placed["translate"] = metadata.offset or (0.0,) * 3
        generated = "scale_factor" in metadata.provenance
        layer = phase_layer(
            volume.labels,
            volume.phases,
            Path(one).stem,
            SUPER_RES if generated else "",
            **placed,
        )
        note = layer[1]["metadata"]["napari-superres"]
        note["provenance"] = dict(metadata.provenance)
        note["scale_factor"] = metadata.provenance.get("scale_factor", "1")
        note["border_dropped"] = "box" in metadata.provenance
        layers.append(layer)
    return layers

"""What `measure` is asked: volumes, and what they are compared with, read from files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from napari_superres.cli.pair import choose_phase_map, choose_scale_factor
from napari_superres.cli.segmented import as_slices, first_voxel, read_segmented
from napari_superres.config import ImagingModel, TrainingSettings, validated
from napari_superres.data.boxes import Triple
from napari_superres.data.common_phases import (
    Segmented,
    common_phases,
    slices_with_phases,
    volume_with_phases,
    with_phases,
)
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import SettingsError
from napari_superres.scale_factor import super_res_shape

_Item = TypeVar("_Item", bound=Segmented)


@dataclass(frozen=True, eq=False)
class Question:
    """What is to be measured, and against what, all over the same phases.

    Attributes
    ----------
    found : one volume or set of slices; or several realisations
    high_res, truth : to compare with; None for none
    low_res, settings : for the low-res mismatch; None for none
    """

    found: tuple[Segmented, ...]
    high_res: SegmentedSlices | None = None
    truth: SegmentedVolume | None = None
    low_res: SegmentedVolume | None = None
    settings: TrainingSettings | None = None

    @property
    def references(self) -> dict[str, Segmented]:
        """What there is to compare with, by item name."""
        both = {"high_res": self.high_res, "truth": self.truth}
        return {name: item for name, item in both.items() if item is not None}


def ask(
    files: list[Path],
    against: Path | None,
    high_res: list[Path] | None,
    anisotropic: bool,
    run: Path | None,
    low_res: Path | None,
) -> Question:
    """Read everything, over the phases that any of it has.

    Raises
    ------
    SettingsError
        Two references of the same kind.
    """
    from napari_superres.data.files import read_slices, read_volume
    from napari_superres.runs.folder import RunFolder

    folder = None if run is None else RunFolder.open(run)
    slices = folder.high_res() if folder is not None and folder.has_slices else None
    if high_res:
        slices = read_slices(high_res, anisotropic=anisotropic)
    known = None if folder is None else folder.config.high_res_phases
    found = tuple(read_segmented(file, phases=known) for file in files)
    other = None if against is None else read_segmented(against)
    if isinstance(other, SegmentedSlices) and slices is not None:
        raise SettingsError(
            f"{other.name} is an image, and there are high-res slices to compare with already.",
            "With slices, --against takes a 3D truth.",
            "Leave one of the two out.",
        )
    truth = other if isinstance(other, SegmentedVolume) else None
    slices = other if isinstance(other, SegmentedSlices) else slices
    phases = common_phases([*found, *(item for item in (truth, slices) if item is not None)])
    coarse = None if folder is None else folder.low_res()
    measured = tuple(with_phases(item, phases) for item in found)
    return Question(
        tuple(_sized(item, measured[0]) for item in measured),
        None if slices is None else slices_with_phases(slices, phases),
        None if truth is None else _sized(volume_with_phases(truth, phases), measured[0]),
        coarse if low_res is None else read_volume(low_res),
        None if folder is None else folder.config.settings,
    )


def _sized(item: _Item, first: Segmented) -> _Item:
    """Return a volume of unknown voxel size with that of the first, on whose grid it lies."""
    if isinstance(item, SegmentedVolume) and isinstance(first, SegmentedVolume):
        return replace(item, voxel_size=item.voxel_size or first.voxel_size)
    return item


def settings_for_mismatch(
    question: Question,
    scale_factor: str | None,
    phase_map: str | None,
    imaging: ImagingModel,
    one_sided: list[int] | None,
) -> TrainingSettings:
    """Return what the low-res mismatch needs to know, as a training would read it."""
    assert question.low_res is not None
    fine = as_slices(question.found[0])
    return validated(
        TrainingSettings,
        {
            "scale_factor": choose_scale_factor(scale_factor, question.low_res, fine),
            "phase_map": choose_phase_map(phase_map, question.low_res, fine),
            "imaging": imaging,
            "one_sided": tuple(one_sided or ()),
        },
    )


def place(file: Path, question: Question) -> Triple:
    """Return the first low-res voxel that the file covers; the first of all where none is known."""
    from napari_superres.data.simulate import low_res_shape

    found, coarse, settings = question.found[0], question.low_res, question.settings
    if isinstance(found, SegmentedSlices) or coarse is None or settings is None:
        return (0, 0, 0)
    factor = settings.scale_factor
    whole = found.shape == super_res_shape(coarse.shape, factor)
    return first_voxel(file, coarse, low_res_shape(found.shape, factor), whole)

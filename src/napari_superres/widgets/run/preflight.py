"""What a training needs of its device and its folder, before it starts; no Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISDIR

from napari_superres.config import EngineSettings, TrainingSettings
from napari_superres.errors import SettingsError
from napari_superres.runs.new_folder import is_free
from napari_superres.widgets.jobs.words import Changes, changes_text

GIB = 2**30


@dataclass(frozen=True)
class Preflight:
    """The memory of a step, and what is free for it.

    Attributes
    ----------
    device : where it would train: cpu, cuda:0, mps
    needed : bytes at the peak of a step, within about a fifth
    free : bytes of the device's memory, None where it does not tell
    changes : engine settings with which there is room; empty where there is, or is no such
    reduced : bytes with these changes, or with the smallest settings
    """

    device: str
    needed: int
    free: int | None
    changes: Changes = field(default_factory=dict)
    reduced: int | None = None

    @property
    def fits(self) -> bool:
        """Whether there is room, as far as is known."""
        return self.free is None or self.needed <= self.free


def estimate(settings: TrainingSettings) -> Preflight:
    """Return what a training with these settings needs. Imports torch: call it in a thread."""
    import numpy as np

    from napari_superres.data.checks.inputs import InputReport, crop_shape
    from napari_superres.fusion.memory import training_bytes
    from napari_superres.runs.device import choose_device, device_report

    device = choose_device(settings.device)

    def bytes_of(engine: EngineSettings) -> int:
        asked = settings.replace(engine=engine)
        low, high = crop_shape(asked)
        report = InputReport(np.zeros(0, np.int64), high, low, high, ())
        return training_bytes(asked, report, device)

    known = {info.name: info.free_bytes for info in device_report()}
    needed, free = bytes_of(settings.engine), known.get("cuda:0" if device == "cuda" else device)
    if free is None or needed <= free:
        return Preflight(device, needed, free)
    changes, reduced = less_that_fits(settings.engine, EngineSettings.less_memory, bytes_of, free)
    return Preflight(device, needed, free, changes, reduced)


def less_that_fits(
    engine: EngineSettings,
    smaller: Callable[[EngineSettings], Changes],
    bytes_of: Callable[[EngineSettings], int],
    free: int,
) -> tuple[Changes, int]:
    """Return the changes after which there is room, and the bytes needed then.

    There are no changes where not even the smallest settings fit; the bytes are those of these.
    `smaller` gives the next change that eases memory, nothing where there is none.
    """
    changes: dict[str, int | str] = {}
    while bytes_of(engine) > free:
        step = smaller(engine)
        if not step:
            return {}, bytes_of(engine)
        try:
            engine, changes = engine.replace(**step), {**changes, **step}
        except SettingsError:  # too small for the network
            return {}, bytes_of(engine)
    return changes, bytes_of(engine)


def preflight_text(found: Preflight) -> str:
    """Return the estimate as a sentence, with what to do where there is no room."""
    need = f"A step needs about {found.needed / GIB:.1f} GiB on {found.device}"
    if found.free is None:
        return f"{need}."
    text = f"{need}; {found.free / GIB:.1f} GiB are free."
    if found.fits:
        return text
    if found.reduced is None:
        return f"⚠ {text} Lower <b>Batch</b> or <b>Crop</b> in the advanced settings."
    then = f"about {found.reduced / GIB:.1f} GiB"
    if not found.changes:
        return (
            f"⚠ {text} Even the smallest settings need {then}: close other programs, or choose "
            "another device."
        )
    return f"⚠ {text} With {changes_text(found.changes)} it needs {then}."


def folder_text(folder: Path, opened: str = "in step 3, Monitor") -> str:
    """Return what is known of the folder of the next run.

    Parameters
    ----------
    opened : where a run that lies there can be opened
    """
    try:
        if not S_ISDIR(folder.stat().st_mode):
            return "⚠ This is a file. A new or empty folder is needed."
        if next(folder.iterdir(), None) is None:
            return "Empty, as it must be."
        if is_free(folder):
            return "A run whose making was interrupted: it is made again at the start."
        kept = (folder / "config.json").is_file()
    except FileNotFoundError:
        return "Will be made at the start."
    except OSError:  # no permission to look, or no name for a folder
        return "⚠ It cannot be read. Choose another folder."
    if kept:
        return f"⚠ A run is kept here already: choose another folder, or open it {opened}."
    return "⚠ Not empty. Choose another folder."

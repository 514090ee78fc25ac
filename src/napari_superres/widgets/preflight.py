"""What a training will need of its device, told before it starts; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_superres.config import TrainingSettings

GIB = 2**30


@dataclass(frozen=True)
class Preflight:
    """The memory of a step, and what is free for it.

    Attributes
    ----------
    device : where it would train: cpu, cuda:0, mps
    needed : bytes at the peak of a step, within about a fifth
    free : bytes of the device's memory, None where it does not tell
    """

    device: str
    needed: int
    free: int | None

    @property
    def fits(self) -> bool:
        """Whether there is room, as far as is known."""
        return self.free is None or self.needed <= self.free


def estimate(settings: TrainingSettings) -> Preflight:
    """Return what a training with these settings needs. Imports torch: call it in a thread.

    Raises
    ------
    DeviceError
        The device asked for is not there.
    """
    import numpy as np

    from napari_superres.data.checks import InputReport, crop_shape
    from napari_superres.runs.device import choose_device, device_report
    from napari_superres.runs.memory import training_bytes

    device = choose_device(settings.device)
    low, high = crop_shape(settings)
    report = InputReport(np.zeros(0, np.int64), high, low, high, ())
    free = {info.name: info.free_bytes for info in device_report()}
    name = "cuda:0" if device == "cuda" else device
    return Preflight(device, training_bytes(settings, report, device), free.get(name))


def preflight_text(found: Preflight) -> str:
    """Return the estimate as a sentence, with what to do where there is no room."""
    need = f"A step needs about {found.needed / GIB:.1f} GiB on {found.device}"
    if found.free is None:
        return f"{need}."
    text = f"{need}; {found.free / GIB:.1f} GiB are free."
    if found.fits:
        return text
    return f"⚠ {text} Lower <b>Batch</b> or <b>Crop</b> in the advanced settings."


def folder_text(folder: Path) -> str:
    """Return what to know of the folder that is to become a run's, before the start."""
    if folder.is_file():
        return "⚠ This is a file. A new or empty folder is needed."
    if not folder.is_dir():
        return "Will be made at the start."
    try:
        occupied = next(folder.iterdir(), None) is not None
    except OSError:
        return "⚠ It cannot be read. Choose another folder."
    if not occupied:
        return "Empty, as it must be."
    if (folder / "config.json").is_file():
        return "⚠ A run is kept here already: choose another folder, or open it in step 3, Monitor."
    return "⚠ Not empty. Choose another folder."

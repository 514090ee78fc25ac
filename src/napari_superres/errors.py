"""What can go wrong, in messages that say what to do.

SuperResError
├── InputError            the user's files or settings; exit status 2
│   ├── FileError           missing, empty, truncated, of an unknown kind
│   ├── NotSegmentedError   greyscale or colour where phases are needed
│   ├── ShapeError          too few axes, too small, sizes that do not fit
│   ├── PhaseError          phases or a phase map that do not fit
│   ├── ScaleFactorError    not a scale factor, or one that contradicts the voxel sizes
│   ├── SettingsError       a setting out of range
│   ├── RunFolderError      not a run, of another version, damaged, in use
│   └── OutputError         a path that cannot be written, a full disk
└── EngineError           a failure while working; exit status 1
    ├── OutOfMemoryError    the device has no room for a step
    ├── DivergenceError     training diverged, after all roll-backs
    └── DeviceError         the device does not exist or cannot be used

Every message has three parts: what was found, what is needed, what to do.
"""

from __future__ import annotations

from collections.abc import Mapping


class SuperResError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    found : what was found, as a sentence
    needed : what is needed instead, as a sentence; may be empty
    action : what the user can do about it, as a sentence; may be empty
    """

    exit_status = 1

    def __init__(self, found: str, needed: str = "", action: str = "") -> None:
        self.found = found
        self.needed = needed
        self.action = action
        super().__init__(" ".join(part for part in (found, needed, action) if part))

    def __reduce__(self) -> tuple[type[SuperResError], tuple[object, ...]]:
        return type(self), (self.found, self.needed, self.action)


class InputError(SuperResError):
    """The user's files or settings are wrong; nothing was started."""

    exit_status = 2


class FileError(InputError):
    """A file is missing, empty, truncated or of an unknown kind."""


class NotSegmentedError(InputError):
    """An image has grey values or colours where phase labels are needed."""


class ShapeError(InputError):
    """An array has too few axes, is too small, or does not fit another."""


class PhaseError(InputError):
    """Phases, or the map between high-res and low-res phases, do not fit."""


class ScaleFactorError(InputError):
    """Not a usable scale factor, or one that contradicts the voxel sizes."""


class SettingsError(InputError):
    """A setting is out of range or contradicts another."""


class RunFolderError(InputError):
    """A folder is not a run, is of another version, damaged, or in use."""


class OutputError(InputError):
    """A result cannot be written where it was asked for."""


class EngineError(SuperResError):
    """A failure while training or generating."""


class OutOfMemoryError(EngineError):
    """The device has no room for a step or a tile.

    Parameters
    ----------
    found, needed, action : as for every error
    changes : engine settings with which a training needs less; empty when unknown
    """

    def __init__(
        self,
        found: str,
        needed: str = "",
        action: str = "",
        changes: Mapping[str, int | str] | None = None,
    ) -> None:
        super().__init__(found, needed, action)
        self.changes: Mapping[str, int | str] = dict(changes or {})

    def __reduce__(self) -> tuple[type[SuperResError], tuple[object, ...]]:
        return type(self), (self.found, self.needed, self.action, self.changes)


class DivergenceError(EngineError):
    """Training diverged or collapsed, and rolling back did not help."""


class DeviceError(EngineError):
    """The device does not exist or cannot be used."""


_NO_MEMORY = (
    "out of memory", "allocate memory", "not enough memory", "bad_alloc", "invalid buffer size",
    "alloc_failed", "allocation_failed",
)  # fmt: skip


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, such as one of torch, reports missing memory on any device.

    torch has several types for it, by version and by library
    (``CUBLAS_STATUS_ALLOC_FAILED``); all of them are RuntimeErrors that say so.
    """
    text = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in text for sign in _NO_MEMORY)
    )

"""The files of one checkpoint: written so that a kill or a failing disk leaves a whole one.

checkpoints/step-0012000/ generator.safetensors   enough to generate
                          training.safetensors    everything else that resuming needs
                          state.json              step, time, score, measurement
                          thumbnail.png           middle slices in the phases' colours
                          chosen                  empty: the user keeps it
            left-step-0012000/                    chosen, and of steps that were rolled back

Names that begin with a dot are temporary: `.part` is being written, `.old` makes room
for one of the same step, `.gone` is being deleted. Only an `.old` one is ever read, where
the process was killed before the new one was in place.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from napari_superres.data.files.output import sync, sync_folder
from napari_superres.data.files.reading import check_regular, is_number, read_small_text

PREFIX = "step-"
LEFT = "left-"
"""Prefix of a chosen checkpoint that was rolled back: the run does not resume from it."""
THUMBNAIL = "thumbnail.png"
TENSORS = ("generator.safetensors", "training.safetensors")
STATE = "state.json"
CHOSEN = "chosen"
"""Empty file in a checkpoint that the user chose: it is never dropped for newer ones."""
HASHES = "sha256"
"""Entry of state.json with a hash of each file of tensors, which themselves have no checksum."""


def write_folder(
    final: Path,
    generator: Mapping[str, Tensor],
    training: Mapping[str, Tensor],
    state: Mapping[str, Any],
    picture: NDArray[np.uint8] | None,
) -> None:
    """Write a checkpoint; at any moment there is the earlier one of its name or the new one."""
    part, old = _temporary(final, "part"), _temporary(final, "old")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        save_file(_plain(generator), part / TENSORS[0])
        save_file(_plain(training), part / TENSORS[1])
        if picture is not None:
            Image.fromarray(picture).save(part / THUMBNAIL)
        whole = dict(state) | {HASHES: {name: _hash(part / name) for name in TENSORS}}
        (part / STATE).write_text(json.dumps(whole, indent=1), encoding="utf-8")
        if (final / CHOSEN).exists():
            (part / CHOSEN).touch()
        for file in part.iterdir():
            sync(file)
        sync_folder(part)
        if final.exists():
            shutil.rmtree(old, ignore_errors=True)
            final.rename(old)
        part.rename(final)
        shutil.rmtree(old, ignore_errors=True)
        sync_folder(final.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def folders(checkpoints: Path) -> list[Path]:
    """Return the folders of checkpoints, by name, whole or not."""
    found = [folder for folder in sorted(checkpoints.glob(f"{PREFIX}*")) if _is_ours(folder)]
    replaced = sorted(checkpoints.glob(f".{PREFIX}*.old"))
    return found + [old for old in replaced if not _in_place(old).exists()]


def read_state(folder: Path) -> dict[str, Any]:
    """Return what state.json holds; an OSError or ValueError where it is damaged."""
    state = json.loads(read_small_text(folder / STATE))
    if not isinstance(state, dict):
        raise ValueError("state.json holds no object")
    step, score = state.get("step"), state.get("score")
    if not isinstance(step, int) or not 0 <= step < 2**53:
        raise ValueError(f"state.json has the step {step!r}")
    if score is not None and not is_number(score):
        raise ValueError("state.json has a score that is no number")
    if not isinstance(state.get("measurement") or {}, dict):
        raise ValueError("state.json has a measurement without names")
    return state


def read_tensors(folder: Path, name: str, device: str) -> dict[str, Tensor]:
    """Return tensors by name, checked against their hash; see `checkpoints.load_tensors`."""
    file = folder / f"{name}.safetensors"
    check_regular(file)
    known = read_state(folder).get(HASHES)
    if isinstance(known, dict) and known.get(file.name) != _hash(file):
        raise ValueError("it has changed since it was written")
    return load_file(file, device=device)


def delete_folder(folder: Path) -> None:
    """Delete a checkpoint; one that is deleted in part is no checkpoint any more."""
    gone = _temporary(folder, "gone")
    with suppress(OSError):
        shutil.rmtree(gone, ignore_errors=True)
        folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def leave_folder(folder: Path) -> None:
    """Set a checkpoint apart from those that a run resumes from, under a name of its own."""
    with suppress(OSError):
        folder.rename(folder.with_name(f"{LEFT}{folder.name}{_free_number(folder)}"))


def left_folders(checkpoints: Path) -> list[Path]:
    """Return the folders of checkpoints that were set apart, by name, whole or not."""
    found = sorted(checkpoints.glob(f"{LEFT}{PREFIX}*"))
    return [folder for folder in found if re.fullmatch(rf"{LEFT}{PREFIX}\d+(-\d+)?", folder.name)]


def _free_number(folder: Path) -> str:
    """Return the suffix that makes its name unique: "", "-2", …."""
    suffixes = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    return next(s for s in suffixes if not folder.with_name(f"{LEFT}{folder.name}{s}").exists())


def clear_temporary(checkpoints: Path) -> None:
    """Delete what killed processes left half written or half deleted."""
    for state in ("part", "gone"):
        for folder in checkpoints.glob(f".{PREFIX}*.{state}"):
            shutil.rmtree(folder, ignore_errors=True)
    for old in checkpoints.glob(f".{PREFIX}*.old"):
        if _in_place(old).exists():
            shutil.rmtree(old, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    return folder.name.removeprefix(PREFIX).isdigit()  # not "step-0000010 (copy)"


def _in_place(old: Path) -> Path:
    return old.with_name(old.name.removeprefix(".").removesuffix(".old"))


def _temporary(folder: Path, state: str) -> Path:
    return folder.with_name(f".{_in_place(folder).name}.{state}")


def _hash(file: Path) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return contiguous copies on the CPU; channels-last strides are not stored."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}

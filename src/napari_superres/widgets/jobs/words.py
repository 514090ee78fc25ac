"""What the panel says of failures, buttons and run folders; no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from types import MappingProxyType

from napari_superres.errors import OutOfMemoryError

Changes = Mapping[str, int | str]
NONE: Changes = MappingProxyType({})


def failure_text(
    error: Exception, started: bool, offer: Changes = NONE, less: Changes = NONE
) -> str:
    """Return what the status line says of a training that failed.

    Parameters
    ----------
    started : whether it had begun; if not, nothing of it is on disk
    offer, less : settings with which the run can go on, or a new one be started
    """
    what = "Training ended early." if started else "Not started."
    return f"<b>{what}</b> {escape(advice_text(error, offer, less))}"


def advice_text(error: Exception, offer: Changes = NONE, less: Changes = NONE) -> str:
    """Return an error in the panel's words: which button goes on, rather than which command.

    Parameters
    ----------
    offer, less : settings with which the run can go on, or a new one be started
    """
    if not isinstance(error, OutOfMemoryError) or not (offer or less):
        return str(error)
    if offer:
        what = f"The weights are saved: press {continue_text(offer)} to go on from there."
    else:
        what = f"There is no checkpoint yet: press {start_text(less)} to try again."
    return f"{error.found} {what}"


def second_run_text(folder: Path | None) -> str:
    """Return why a second training is not started."""
    where = f" in {folder}" if folder is not None else ""
    return f"A training is going on{where}. One at a time: Stop and keep it first."


def changes_text(changes: Changes) -> str:
    """Return settings as people say them: "batch 1, crop 48"."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in changes.items())


def continue_text(changes: Changes) -> str:
    """Return the text of a button that goes on with other settings."""
    return f"Continue with {changes_text(changes)}"


def start_text(changes: Changes) -> str:
    """Return the text of the button that starts a run, with other settings if any."""
    return f"Start with {changes_text(changes)}" if changes else "Start"


def run_folder_name(name: str, now: datetime) -> str:
    """Return a folder name that sorts by date: "2026-11-21_0135_cathode"."""
    clean = "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-")[:24].rstrip("-")
    stamp = now.strftime("%Y-%m-%d_%H%M")
    return f"{stamp}_{clean}" if clean else stamp


def free_run_folder(parent: Path, name: str, now: datetime) -> Path:
    """Return a folder below `parent` that does not exist yet."""
    base = parent / run_folder_name(name, now)
    folder, number = base, 2
    while folder.exists():
        folder, number = base.with_name(f"{base.name}_{number}"), number + 1
    return folder


def default_runs_folder(home: Path) -> Path:
    """Return where runs go unless another place is chosen."""
    return home / "superres-runs"

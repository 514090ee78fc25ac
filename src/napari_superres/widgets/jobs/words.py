"""What the panel says: times, status lines, what to do after a failure, folder names; no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from types import MappingProxyType

from napari_superres.errors import OutOfMemoryError
from napari_superres.events import (
    FinishReason,
    GenerationFinished,
    GenerationStarted,
    PartAssembled,
    Progress,
    RolledBack,
    StepCompleted,
    StepProgress,
    TileCompleted,
    TrainingFinished,
    TrainingStarted,
)

Changes = Mapping[str, int | str]
NONE: Changes = MappingProxyType({})


def duration(seconds: float | None) -> str:
    """Return a time as people say it: "4 s", "3 min 20 s", "2 h 05 min"; empty for None."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def left(seconds: float | None) -> str:
    """Return "about 3 min 20 s left", empty when unknown."""
    return f"about {duration(seconds)} left" if seconds is not None else ""


_HOW_IT_ENDED = {
    FinishReason.COMPLETED: "Finished",
    FinishReason.STOPPED: "Stopped and kept",
    FinishReason.SETTLED: "Ended, as nothing got better any more,",
}


def rolled_back_text(event: RolledBack) -> str:
    """Return what a roll-back is about, in one sentence."""
    where = f"step {event.to_step:,}" if event.to_step else "the beginning"
    return (
        f"Step {event.step:,}: {event.reason}. Rolled back to {where}; it goes on at half the "
        "learning rate."
    )


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
        what = f"What was learnt is saved: press {continue_text(offer)} to go on from there."
    else:
        what = f"Nothing was learnt yet: press {start_text(less)} to try again."
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


def status_line(event: object, next_step: str = "") -> str | None:
    """Return what the status line says of an event, None to leave it as it is.

    Parameters
    ----------
    next_step : where results are made from a run that was trained
    """
    match event:
        case TrainingStarted():
            parameters = event.generator_parameters + event.discriminator_parameters
            return f"Training on {event.device}: {parameters:,} parameters."
        case StepCompleted():
            parts = [f"Step {event.step:,}", f"{duration(event.elapsed_s)} trained"]
            return ", ".join(part for part in (*parts, left(event.seconds_left)) if part)
        case StepProgress():
            return f"Step {event.step:,} under way: {event.part} done."
        case RolledBack():
            return rolled_back_text(event)
        case TrainingFinished():
            how = _HOW_IT_ENDED[event.reason]
            after = f" Next: {next_step}." if next_step else ""
            return f"{how} after {event.step:,} steps, {duration(event.elapsed_s)}.{after}"
        case GenerationStarted():
            return f"Generating {sizes(event.shape)} voxels in {event.tiles} tiles …"
        case TileCompleted():
            done = f"Tile {event.done} of {event.tiles}"
            return ", ".join(part for part in (done, left(event.seconds_left)) if part)
        case PartAssembled():
            return f"Putting the file together: {round(100 * event.done / max(event.parts, 1))} %"
        case GenerationFinished():
            return "Generated." if event.reason == "completed" else "Generation cancelled."
    return None


def job_line(event: object) -> str | None:
    """Return what the line of a job says of an event, None to leave it as it is."""
    if isinstance(event, Progress):
        return f"{event.text} …" if event.text else None
    if isinstance(event, GenerationStarted | TileCompleted | PartAssembled):
        return left(getattr(event, "seconds_left", None)) or "Working …"
    return None


def progress_percent(event: object) -> int | None:
    """Return 0 to 100 for events that tell progress, −1 for work without a known end."""
    match event:
        case Progress():
            return round(100 * event.share)
        case StepCompleted():
            return -1 if event.progress is None else round(100 * event.progress)
        case TileCompleted():
            return round(100 * event.done / max(event.tiles, 1))
        case GenerationStarted():
            return round(100 * event.tiles_done / max(event.tiles, 1))
        case PartAssembled():
            return round(100 * event.done / max(event.parts, 1))
        case TrainingFinished() | GenerationFinished():
            return 100 if event.reason != "stopped" else None
    return None


def sizes(shape: Sequence[int]) -> str:
    """Return "192 × 192 × 192"."""
    return " × ".join(str(size) for size in shape)


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

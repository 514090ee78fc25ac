"""What the terminal and the panel say of an event: one sentence each, and how far the work is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from napari_superres.events import (
    FinishReason,
    GenerationFinished,
    GenerationStarted,
    ImagesMeasured,
    Measurement,
    MetricsMeasured,
    PartAssembled,
    Progress,
    RolledBack,
    StepCompleted,
    StepProgress,
    TileCompleted,
    TrainingFinished,
    TrainingStarted,
)

HOW_IT_ENDED = {
    FinishReason.COMPLETED: "Done",
    FinishReason.STOPPED: "Stopped and kept",
    FinishReason.SETTLED: "No better measurement for as long as the setting patience says: ended",
}
IMAGE_NUMBERS = {
    "fraction_gap": ("fractions", ".3f"),
    "surface_gap": ("surface", ".1%"),
    "length_gap": ("λ", ".1%"),
    "two_point_rmse": ("two-point", ".4f"),
    "bicubic_two_point_rmse": ("two-point of bicubic", ".4f"),
    "histogram_gap": ("grey histogram", ".1%"),
    "given_back_rmse": ("low-res given back", ".4f"),
    "r_t": ("r_t", ".2f"),
    "p": ("p", ".2f"),
}
"""How numbers of images are named and written, in this order."""


def line_of(event: object) -> str | None:
    """Return the sentence of an event; None where there is none, as measurements have parts."""
    match event:
        case TrainingStarted():
            verb = f"Resuming at step {event.step:,}" if event.step else "Training"
            return (
                f"{verb} on {event.device}: generator {event.generator_parameters:,}, "
                f"discriminator {event.discriminator_parameters:,} parameters."
            )
        case StepCompleted():
            done = f"Step {event.step:,}, {duration(event.elapsed_s)} trained"
            return _with_time_left(done, event.seconds_left)
        case StepProgress():
            return f"Step {event.step:,} under way: {event.part} done."
        case RolledBack():
            where = f"step {event.to_step:,}" if event.to_step else "the beginning"
            return (
                f"Step {event.step:,}: {event.reason}. Rolled back to {where}; from there at half "
                f"the learning rate, {event.learning_rate:.1e}, with {event.left} more roll-backs "
                "allowed."
            )
        case TrainingFinished():
            trained = duration(event.elapsed_s)
            return f"{HOW_IT_ENDED[event.reason]} at step {event.step:,}, {trained} trained."
        case GenerationStarted():
            return f"Generating {sizes(event.shape)} voxels in {event.tiles} tiles …"
        case TileCompleted():
            return _with_time_left(f"Tile {event.done} of {event.tiles}", event.seconds_left)
        case PartAssembled():
            return f"Putting the file together: {event.done / max(event.parts, 1):.0%}"
        case GenerationFinished():
            stopped = event.reason is FinishReason.STOPPED
            return "Generation cancelled." if stopped else "Generated."
        case Progress():
            return f"{event.text} …" if event.text else None
    return None


def share_of(event: object) -> float | None:
    """Return how far the work is, 0 to 1; −1 for work without a known end, None if not told."""
    match event:
        case StepCompleted() | StepProgress():
            return -1.0 if event.progress is None else event.progress
        case Progress():
            return event.share
        case GenerationStarted():
            return event.tiles_done / max(event.tiles, 1)
        case TileCompleted():
            return event.done / max(event.tiles, 1)
        case PartAssembled():
            return event.done / max(event.parts, 1)
        case TrainingFinished() | GenerationFinished():
            return None if event.reason is FinishReason.STOPPED else 1.0
    return None


def measured_parts(
    event: MetricsMeasured | ImagesMeasured, target: Measurement | None = None
) -> list[str]:
    """Return the numbers of a measurement, each with its name.

    Parameters
    ----------
    target : what is to be reached; None where it is not known
    """
    if isinstance(event, ImagesMeasured):
        return list(_of_images(event.values))
    return list(_of_crops(event.measurement, target))


def mean_errors(found: Measurement, target: Measurement) -> tuple[float, float]:
    """Return the mean errors of volume fractions (absolute) and interface areas (relative).

    Pairs of phases that never meet in the target are left out.
    """
    fractions = [
        abs(found.volume_fractions.get(name, 0.0) - goal)
        for name, goal in target.volume_fractions.items()
    ]
    areas = [
        abs(found.interface_areas.get(name, 0.0) - goal) / goal
        for name, goal in target.interface_areas.items()
        if goal > 0
    ]
    return _mean(fractions), _mean(areas)


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


def sizes(shape: Sequence[int]) -> str:
    """Return "192 × 192 × 192"."""
    return " × ".join(str(size) for size in shape)


def _with_time_left(text: str, seconds: float | None) -> str:
    return ", ".join(part for part in (text, left(seconds)) if part)


def _of_crops(found: Measurement, target: Measurement | None) -> Iterator[str]:
    if target is not None:
        fractions, areas = mean_errors(found, target)
        yield f"volume fractions off by {fractions:.3f}"
        yield f"interface areas by {areas:.1%}"
    if found.low_res_mismatch is not None:
        yield f"low-res mismatch {found.low_res_mismatch:.1%}"
    if found.two_point_error is not None:
        chance = None if target is None else target.two_point_error
        known = "" if chance is None else f" (by chance {chance:.4f})"
        yield f"two-point {found.two_point_error:.4f}{known}"
    if found.anisotropy is not None:
        yield f"between axes {found.anisotropy:.1%}"


def _of_images(values: Mapping[str, float]) -> Iterator[str]:
    others = {name: (name.replace("_", " "), ".4f") for name in values if name not in IMAGE_NUMBERS}
    for name, (words, form) in (IMAGE_NUMBERS | others).items():
        if name in values:
            yield f"{words} {values[name]:{form}}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0

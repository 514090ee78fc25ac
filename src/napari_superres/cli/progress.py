"""What a user sees of an event stream: a bar with the time left, a line a measurement."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Collection, Iterator, Mapping
from types import TracebackType
from typing import Self

from tqdm import tqdm

from napari_superres.events import (
    FinishReason,
    GenerationEvent,
    GenerationFinished,
    GenerationStarted,
    ImagesMeasured,
    Measurement,
    MetricsMeasured,
    PartAssembled,
    RolledBack,
    StepCompleted,
    StepProgress,
    TileCompleted,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)


def follow_training(
    events: Iterator[TrainingEvent], known: Collection[str] = ()
) -> TrainingFinished:
    """Consume a training, showing it but for `known` warnings, and return its last event."""
    target: Measurement | None = None
    finished: TrainingFinished | None = None
    with contextlib.closing(events), Bar("training") as bar:  # type: ignore[type-var]
        for event in events:
            match event:
                case TrainingStarted():
                    target = event.target
                    bar.write(started_line(event))
                    for warning in event.warnings:
                        if warning not in known:
                            bar.write(f"warning: {warning}")
                case StepCompleted():
                    bar.show(event.progress, step_note(event))
                case StepProgress():
                    bar.show(event.progress, f"step {event.step} under way, {event.part} done")
                case RolledBack():
                    bar.write(rolled_back_line(event))
                case MetricsMeasured():
                    bar.write(measured_line(event, target))
                case ImagesMeasured():
                    bar.write(images_line(event))
                case TrainingFinished():
                    finished = event
                    if event.reason is not FinishReason.STOPPED:
                        bar.show(1.0, f"step {event.step}")
    assert finished is not None, "a training ends with TrainingFinished"
    return finished


def follow_generation(events: Iterator[GenerationEvent], title: str) -> GenerationFinished:
    """Consume a generation, showing it, and return its last event."""
    finished: GenerationFinished | None = None
    with contextlib.closing(events), Bar(title) as bar:  # type: ignore[type-var]
        for event in events:
            match event:
                case GenerationStarted():
                    bar.show(event.tiles_done / max(event.tiles, 1), f"{event.tiles} tiles")
                case TileCompleted():
                    left = event.seconds_left
                    note = "" if left is None else f", {clock(left)} left"
                    bar.show(
                        event.done / max(event.tiles, 1), f"tile {event.done}/{event.tiles}{note}"
                    )
                case PartAssembled():
                    share = event.done / max(event.parts, 1)
                    bar.show(1.0, f"putting the file together, {share:.0%}")
                case GenerationFinished():
                    finished = event
    assert finished is not None, "a generation ends with GenerationFinished"
    return finished


class Bar:
    """A progress bar on a terminal's stderr; nothing where there is none."""

    def __init__(self, title: str) -> None:
        shown = title.replace("{", "{{").replace("}", "}}")
        self._bar = tqdm(
            total=1.0,
            bar_format=shown + " {percentage:3.0f}% |{bar:24}| {desc}",
            disable=None,
            file=sys.stderr,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def show(self, progress: float | None, note: str) -> None:
        """Set how far it is, 0 to 1 or None when there is no end, and what stands beside."""
        if self._bar.disable:
            return
        self._bar.n = min(max(progress or 0.0, 0.0), 1.0)
        self._bar.set_description_str(note)

    def write(self, line: str) -> None:
        """Print a line to stdout, above the bar."""
        if self._bar.disable:
            print(line, flush=True)
        else:
            self._bar.write(line, file=sys.stdout)


def started_line(event: TrainingStarted) -> str:
    """Say where a training runs and what it has to reach."""
    verb = "Training" if event.step == 0 else f"Resuming at step {event.step}"
    return (
        f"{verb} on {event.device}: generator {event.generator_parameters:,}, discriminator "
        f"{event.discriminator_parameters:,} parameters, run folder {event.run_folder}"
    )


def step_note(event: StepCompleted) -> str:
    """Return what stands beside the bar."""
    left = "" if event.seconds_left is None else f", {clock(event.seconds_left)} left"
    return f"step {event.step}, {clock(event.elapsed_s)} trained{left}"


def measured_line(event: MetricsMeasured, target: Measurement | None) -> str:
    """Return one measurement as a line: how far the crops are from the target."""
    parts = [f"step {event.step:>6}"]
    found = event.measurement
    if target is not None:
        fraction = mean_difference(found.volume_fractions, target.volume_fractions)
        area = mean_relative_difference(found.interface_areas, target.interface_areas)
        parts.append(f"volume fractions off by {fraction:.3f}")
        parts.append(f"interface areas by {area:6.1%}")
    if found.low_res_mismatch is not None:
        parts.append(f"low-res mismatch {found.low_res_mismatch:.3f}")
    if found.two_point_error is not None:
        chance = "" if target is None else chance_text(target)
        parts.append(f"two-point {found.two_point_error:.4f}{chance}")
    if found.anisotropy is not None:
        parts.append(f"between axes {found.anisotropy:5.1%}")
    parts.append("best so far" if event.is_best else "")
    return "  ".join(parts).rstrip()


def images_line(event: ImagesMeasured) -> str:
    """Return one measurement of images as a line: the numbers by name."""
    parts = [f"step {event.step:>6}"]
    parts += [f"{name.replace('_', ' ')} {value:.4f}" for name, value in event.values.items()]
    return "  ".join([*parts, "best so far" if event.is_best else ""]).rstrip()


def rolled_back_line(event: RolledBack) -> str:
    """Return a roll-back as a line: what was noticed, and how it goes on."""
    where = f"to step {event.to_step}" if event.to_step else "to the beginning"
    return (
        f"step {event.step:>6}  rolled back {where}: {event.reason}; "
        f"learning rate {event.learning_rate:.1e}, {event.left} more roll-backs allowed"
    )


def chance_text(target: Measurement) -> str:
    """Return what the two-point error would be by chance alone, in brackets, if it is known."""
    known = target.two_point_error
    return "" if known is None else f" (by chance {known:.4f})"


def mean_difference(found: Mapping[str, float], wanted: Mapping[str, float]) -> float:
    """Return the mean absolute difference over the names in `wanted`."""
    gaps = [abs(found.get(name, 0.0) - value) for name, value in wanted.items()]
    return sum(gaps) / len(gaps) if gaps else 0.0


def mean_relative_difference(found: Mapping[str, float], wanted: Mapping[str, float]) -> float:
    """Return the mean of |found − wanted| / wanted, over the names whose wanted value is not 0."""
    gaps = [
        abs(found.get(name, 0.0) - value) / value for name, value in wanted.items() if value > 0
    ]
    return sum(gaps) / len(gaps) if gaps else 0.0


def clock(seconds: float) -> str:
    """Return seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

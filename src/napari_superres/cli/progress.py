"""What a user sees of an event stream: a bar with the time left, a line a measurement."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from tqdm import tqdm

from napari_superres.events import (
    GenerationEvent,
    GenerationFinished,
    ImagesMeasured,
    Measurement,
    MetricsMeasured,
    RolledBack,
    TrainingEvent,
    TrainingFinished,
    TrainingStarted,
)
from napari_superres.words import line_of, measured_parts, share_of


def follow_training(events: Iterator[TrainingEvent]) -> TrainingFinished:
    """Consume a training, showing it, and return its last event."""
    target: Measurement | None = None
    finished: TrainingFinished | None = None
    with contextlib.closing(events), Bar("training") as bar:  # type: ignore[type-var]
        for event in events:
            match event:
                case TrainingStarted():
                    target = event.target
                    bar.write(f"{line_of(event)} Run folder {event.run_folder}")
                    for warning in event.warnings:
                        bar.write(f"warning: {warning}")
                case MetricsMeasured() | ImagesMeasured():
                    bar.write(measured_line(event, target))
                case RolledBack():
                    bar.write(str(line_of(event)))
                case TrainingFinished():
                    finished = event
            bar.follow(event)
    assert finished is not None, "a training ends with TrainingFinished"
    return finished


def follow_generation(events: Iterator[GenerationEvent], title: str) -> GenerationFinished:
    """Consume a generation, showing it, and return its last event."""
    finished: GenerationFinished | None = None
    with contextlib.closing(events), Bar(title) as bar:  # type: ignore[type-var]
        for event in events:
            bar.follow(event)
            if isinstance(event, GenerationFinished):
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

    def follow(self, event: object) -> None:
        """Show how far the work is, where an event tells."""
        share, line = share_of(event), line_of(event)
        if share is not None and line is not None:
            self.show(share, line)

    def write(self, line: str) -> None:
        """Print a line to stdout, above the bar."""
        if self._bar.disable:
            print(line, flush=True)
        else:
            self._bar.write(line, file=sys.stdout)


def measured_line(
    event: MetricsMeasured | ImagesMeasured, target: Measurement | None = None
) -> str:
    """Return one measurement as a line."""
    parts = [f"step {event.step:>6}", *measured_parts(event, target)]
    return "  ".join([*parts, "best so far"] if event.is_best else parts)

"""Which samples a gallery shows and what becomes of picked ones; no Qt, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from napari_superres.data.phases import Phase, phases_from_values
from napari_superres.errors import SettingsError


@dataclass(frozen=True)
class Picks:
    """Samples by the seeds of their style and their noise.

    Attributes
    ----------
    styles, noises : a seed for each sample
    truncation : styles are drawn towards their mean by this factor; 1 for not at all
    checkpoint : of the run: best, last, or a step
    """

    styles: tuple[int, ...]
    noises: tuple[int, ...]
    truncation: float = 1.0
    checkpoint: str = "best"

    def __len__(self) -> int:
        return len(self.styles)

    def some(self, places: Sequence[int]) -> Picks:
        """Return the samples at these places."""
        styles = tuple(self.styles[place] for place in places)
        return replace(self, styles=styles, noises=tuple(self.noises[place] for place in places))

    def names(self) -> list[str]:
        """Return what each sample is called."""
        return [
            f"style {style}" if style == noise else f"style {style}, noise {noise}"
            for style, noise in zip(self.styles, self.noises, strict=True)
        ]


@dataclass(frozen=True)
class Way:
    """Images between two styles, with one noise.

    Attributes
    ----------
    first, last : seeds of the styles
    frames : images, both ends included
    """

    first: int
    last: int
    frames: int
    noise: int
    truncation: float = 1.0
    checkpoint: str = "best"


def new_samples(before: Picks | None, count: int, truncation: float, checkpoint: str) -> Picks:
    """Return samples of styles and noises that were not shown before."""
    seeds = _next(0 if before is None else _after(before), count)
    return Picks(seeds, seeds, truncation, checkpoint)


def new_noise(shown: Picks, picked: Sequence[int], count: int) -> Picks:
    """Return samples of the one picked style with new noises; the picked one comes first."""
    style, noise = _one(shown, picked, "style")
    return replace(shown, styles=(style,) * count, noises=(noise, *_next(_after(shown), count - 1)))


def new_styles(shown: Picks, picked: Sequence[int], count: int) -> Picks:
    """Return samples of new styles with the noise of the one picked, which comes first."""
    style, noise = _one(shown, picked, "noise")
    return replace(shown, styles=(style, *_next(_after(shown), count - 1)), noises=(noise,) * count)


def way_between(shown: Picks, picked: Sequence[int], frames: int) -> Way:
    """Return the way between two picked samples, with the noise of the first."""
    if len(picked) != 2:
        raise SettingsError(
            f"{_count(picked)} picked.", "Two are needed, one for each end.", "Click two samples."
        )
    ends = shown.some(picked)
    first, last = ends.styles
    return Way(first, last, frames, ends.noises[0], shown.truncation, shown.checkpoint)


def bulk(first_seed: int, count: int, truncation: float, checkpoint: str) -> Picks:
    """Return the samples with seeds one after the other, as `synthesise sample` makes them."""
    seeds = _next(first_seed, count)
    return Picks(seeds, seeds, truncation, checkpoint)


def slice_phases(classes: int, known: Sequence[Phase]) -> tuple[Phase, ...]:
    """Return the phases of thresholded samples, dark ones first: those known if as many."""
    return tuple(known) if len(known) == classes else phases_from_values(range(classes))


def heart_text(distances: Sequence[float], unseen: float | None) -> str:
    """Return what nearest windows say of learning by heart."""
    middle = sorted(distances)[len(distances) // 2]
    text = f"Distance to the nearest real window: {middle:.3f}"
    if not unseen:
        return f"{text}. No held-out patches to compare with."
    ratio = middle / unseen
    verdict = "Looks learnt by heart." if ratio < 0.5 else "No sign of learning by heart."
    return f"{text}; of real patches never trained on {unseen:.3f}. {verdict}"


def _one(shown: Picks, picked: Sequence[int], what: str) -> tuple[int, int]:
    if len(picked) != 1:
        raise SettingsError(
            f"{_count(picked)} picked.",
            f"One is needed, whose {what} is held.",
            "Click one sample.",
        )
    return shown.styles[picked[0]], shown.noises[picked[0]]


def _count(picked: Sequence[int]) -> str:
    return "One sample is" if len(picked) == 1 else f"{len(picked) or 'No'} samples are"


def _after(picks: Picks) -> int:
    return max(*picks.styles, *picks.noises) + 1


def _next(first: int, count: int) -> tuple[int, ...]:
    return tuple(range(first, first + count))

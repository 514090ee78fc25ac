"""Charts and sheets of many small images, real against synthetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_superres.data.phases import Phase
from napari_superres.measures.kinds.texture import Texture
from napari_superres.measures.kinds.two_point import correlation_length
from napari_superres.measures.report.charts import new_figure, tidy
from napari_superres.measures.report.panels import coloured

COLOURS = {"real": "#d1495b", "synthetic": "#2e78b8", "low-res": "#8c8c8c", "bicubic": "#3f8f63"}
BINS = 16

Colours = NDArray[np.float64]


def as_colours(images: NDArray[np.uint8], phases: Sequence[Phase]) -> Colours:
    """Return (count, rows, columns, 3) colours, 0 to 1, of grey values or phase indices."""
    if phases:
        return np.stack([coloured(image, phases) for image in images])
    return np.repeat(images[..., None] / 255.0, 3, axis=-1)


def contact_sheet(images: Colours, columns: int = 4) -> Colours:
    """Return images beside and below each other, (rows, columns, 4), clear between them."""
    count, height, width, _ = images.shape
    rows, gap = -(-count // columns), 2
    sheet = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 4))
    for index, image in enumerate(images):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        sheet[top : top + height, left : left + width, :3] = image
        sheet[top : top + height, left : left + width, 3] = 1
    return sheet


def numbers_of(texture: Texture) -> dict[str, Any]:
    """Return measures as JSON has them; a missing correlation length is null."""
    lengths = np.where(np.isfinite(texture.lengths), texture.lengths, None).T.tolist()  # type: ignore[call-overload]
    per_phase = {}
    for index, name in enumerate(texture.names):
        per_phase[name] = {
            "fraction": texture.fractions[:, index].tolist(),
            "specific_surface": texture.surfaces[:, index].tolist(),
            "correlation_length": lengths[index],
            "two_point": texture.curve[index].tolist(),
        }
    return {"phases": per_phase, "histogram": texture.histogram.tolist()}


def histogram_chart(found: Mapping[str, Texture]) -> Figure:
    """Draw histograms of fraction, specific surface and λ, a row for each phase.

    Of two phases one is enough: their fractions add up to 1, and they share their surface.
    """
    names = next(iter(found.values())).names
    shown = names[:1] if len(names) == 2 else names
    figure = new_figure(10, 2.5 * len(shown))
    grid = figure.subplots(len(shown), 3, squeeze=False)
    for index, name in enumerate(shown):
        for axes, attribute, label in zip(
            grid[index],
            ("fractions", "surfaces", "lengths"),
            (f"fraction of {name}", "specific surface (1/pixel)", "λ (pixels)"),
            strict=True,
        ):
            values = {
                item: getattr(texture, attribute)[:, index] for item, texture in found.items()
            }
            tidy(axes, label)
            _draw_histograms(axes, {item: v[np.isfinite(v)] for item, v in values.items()})
    grid[0, 0].legend(fontsize=8, frameon=False)
    return figure


def _draw_histograms(axes: Axes, values: Mapping[str, NDArray[np.float64]]) -> None:
    every = np.concatenate(list(values.values()))
    if not every.size:
        return
    low, high = np.quantile(every, (0.005, 0.995))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    for item, numbers in values.items():
        shares = np.full(len(numbers), 1 / max(len(numbers), 1))
        axes.hist(
            np.clip(numbers, edges[0], edges[-1]),
            edges.tolist(),
            weights=shares,
            color=COLOURS[item],
            alpha=0.5,
            label=item,
        )


def correlation_chart(found: Mapping[str, Texture]) -> Figure:
    """Draw R(h) of each phase with its spread over images and the fitted exponential."""
    names = next(iter(found.values())).names
    shown = names[:1] if len(names) == 2 else names
    figure = new_figure(10, 3.0)
    grid = figure.subplots(1, len(shown), squeeze=False)[0]
    for index, (axes, name) in enumerate(zip(grid, shown, strict=True)):
        tidy(axes, name)
        for item, texture in found.items():
            _draw_correlation(axes, item, texture.correlations[:, index])
        axes.axhline(0, color="#888888", lw=0.6)
        axes.set_xlabel("h (pixels)", fontsize=8)
        axes.set_ylabel("R(h)", fontsize=8)
        axes.set_xlim(left=0)
        if axes.lines[1:]:  # besides the zero: a phase that is alone has no correlation
            axes.legend(fontsize=8, frameon=False)
    return figure


def _draw_correlation(axes: Axes, item: str, curves: NDArray[np.float64]) -> None:
    mean = curves.mean(axis=0)
    fraction = mean[0]
    if not 0 < fraction < 1:
        return
    distance = np.arange(len(mean))

    def normal(curve: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((curve - fraction**2) / (fraction * (1 - fraction)))

    low, high = np.quantile(curves, (0.1, 0.9), axis=0)
    axes.fill_between(distance, normal(low), normal(high), color=COLOURS[item], alpha=0.15, lw=0)
    fitted = correlation_length(mean).length
    label = f"{item}, λ = {fitted:.1f}" if np.isfinite(fitted) else item
    axes.plot(distance, normal(mean), color=COLOURS[item], lw=1.6, label=label)
    if np.isfinite(fitted):
        axes.plot(distance, np.exp(-distance / fitted), "--", color=COLOURS[item], lw=1)

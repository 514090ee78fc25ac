"""Fourier magnitudes of a report: profiles and maps (figure 18 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from napari_superres.data.volumes import Labels
from napari_superres.measures.charts import Numbers, new_figure, tidy, title_of
from napari_superres.measures.figures import ITEM_COLOURS, ITEM_TITLES
from napari_superres.measures.fourier import log_magnitude


def fourier(numbers: Numbers, width: float = 10) -> Figure:
    """Draw the Fourier profiles of every item (figure 18, c and d), `width` in inches."""
    figure = new_figure(width, 3.2)
    axes = figure.add_subplot()
    sized = numbers["items"]["super_res"]["voxel_size_um"] is not None
    tidy(axes, "ring mean of the log magnitude")
    for item in (name for name in ITEM_TITLES if name in numbers["items"]):
        summary = numbers["items"][item]
        profiles = summary.get("fourier_profile", {})
        known = summary["voxel_size_um"] is not None
        if known != sized or (item == "low_res" and not sized):
            continue  # its frequencies are in another unit
        for index, profile in enumerate(profiles.values()):
            axes.plot(
                profile["frequency"],
                np.array(profile["magnitude"], float),
                color=ITEM_COLOURS[item],
                lw=1.4,
                alpha=0.9,
                label=title_of(numbers, item) if index == 0 else None,
            )
    axes.set_xlabel(f"spatial frequency (1/{'µm' if sized else 'voxel'})", fontsize=8)
    axes.set_ylabel("log10 of the root power density", fontsize=8)
    axes.set(xlim=(0, None))
    axes.legend(fontsize=8, frameon=False)
    return figure


def fourier_maps(images: Mapping[str, tuple[Labels, int, tuple[float, float]]]) -> Figure:
    """Draw the centred log magnitude maps at one scale of frequency (figure 18, b).

    Parameters
    ----------
    images : item to (label image, n phases, pixel size)
    """
    figure = new_figure(2.6 * len(images), 2.7)
    reach = max(0.5 / min(size) for _, _, size in images.values())
    maps = {item: log_magnitude(image, n, size) for item, (image, n, size) in images.items()}
    known = np.concatenate([spectrum[np.isfinite(spectrum)] for spectrum in maps.values()])
    darkest, brightest = np.quantile(known, (0.05, 1)) if known.size else (0, 1)
    for index, (item, spectrum) in enumerate(maps.items()):
        axes = figure.add_subplot(1, len(images), index + 1)
        height, width = (0.5 / size for size in images[item][2])
        axes.imshow(
            spectrum,
            extent=(-width, width, height, -height),
            cmap="magma",
            vmin=darkest,
            vmax=brightest,
            interpolation="nearest",
        )
        axes.set(xlim=(-reach, reach), ylim=(reach, -reach), xticks=[], yticks=[])
        axes.set_facecolor("black")
        axes.set_title(ITEM_TITLES[item], fontsize=10)
    return figure

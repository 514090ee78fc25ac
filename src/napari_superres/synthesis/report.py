"""The report of Liu & Mukerji 2022, figure 3: real against synthetic images, in one page."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.files.images import ImageSet
from napari_superres.data.files.output import make_folder
from napari_superres.data.patches import spread_over_both
from napari_superres.measures.kinds.texture import Segmenter, Texture, measure_texture, texture_gap
from napari_superres.measures.report import page as html
from napari_superres.measures.report.texture_charts import (
    as_colours,
    contact_sheet,
    correlation_chart,
    histogram_chart,
    numbers_of,
)
from napari_superres.runs.run import Run
from napari_superres.synthesis.memorisation import Memorisation, memorisation
from napari_superres.synthesis.sampling import SampleRequest, Synthesiser
from napari_superres.synthesis.settings import SYNTHESIS
from napari_superres.synthesis.training import INPUT, cut_images

CHECKED = 12
"""Samples whose nearest real window is looked for."""
SHOWN = 16
TWO_COLUMNS = '<div class="slices" style="grid-template-columns: repeat(2, 1fr)">'
ONE_COLUMN = '<div class="slices" style="grid-template-columns: 1fr">'


def make_report(
    run: Path,
    count: int = 128,
    seed: int = 0,
    checkpoint: str = "best",
    device: str = "auto",
    folder: Path | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return a page that needs nothing but itself, and its numbers.

    Parameters
    ----------
    run : of synthesis
    count : images measured of each kind; real ones are of all regions, and once more of the
        held-out ones alone
    seed : of the first image
    checkpoint, device : of the generator
    folder : to write the charts to as PNG and SVG; None for nowhere

    Raises
    ------
    OutputError
        The charts cannot be written there.
    """
    if folder is not None:
        make_folder(folder)
    opened = Run.open(run, SYNTHESIS)
    settings, images = opened.settings, opened.images(INPUT)
    training, held_out = cut_images(images, settings)
    synthesiser = Synthesiser.load(run, checkpoint, device)
    synthetic = synthesiser.sample(SampleRequest.choose(count, seed))
    real = spread_over_both(training, held_out, count)
    segmenter = Segmenter.fit(training.parts, images.phases)
    found = {
        "real": measure_texture(real, segmenter),
        "synthetic": measure_texture(synthetic, segmenter),
    }
    nearest = memorisation(
        synthetic[:CHECKED],
        training.parts,
        held_out.spread(CHECKED),
        len(images.phases),
        settings.directed,
    )
    numbers = _numbers(opened, checkpoint, found, segmenter, nearest)
    if len(held_out):
        unseen = measure_texture(held_out.spread(count), segmenter)
        numbers["gap_to_held_out"] = asdict(texture_gap(found["synthetic"], unseen))
    body = [
        f"<h1>Synthetic images of {escape(images.name)}</h1>",
        _cards(numbers),
        _samples(synthetic, real, images),
        _charts(found, folder),
        _nearest(synthetic, nearest, images, settings.directed),
    ]
    return html.page(f"Synthesis of {images.name}", body), numbers


def _numbers(
    run: Run[Any],
    checkpoint: str,
    found: dict[str, Texture],
    segmenter: Segmenter,
    nearest: Memorisation,
) -> dict[str, Any]:
    return {
        "run": str(run.path),
        "step": run.find_checkpoint(checkpoint).step,
        "threshold": segmenter.threshold,
        "gap": asdict(texture_gap(found["synthetic"], found["real"])),
        "items": {name: numbers_of(texture) for name, texture in found.items()},
        "memorisation": {
            "samples": [near.distance for near in nearest.samples],
            "unseen": nearest.unseen.tolist(),
            "ratio": nearest.ratio,
        },
    }


def _cards(numbers: dict[str, Any]) -> str:
    gap, ratio = numbers["gap"], numbers["memorisation"]["ratio"]
    cards = [
        html.card(f"{gap['fraction']:.3f}", "largest gap of a mean fraction", None),
        html.card(f"{gap['surface']:.1%}", "largest gap of a mean specific surface", None),
        html.card(f"{gap['two_point']:.4f}", "two-point correlation, RMSE", None),
    ]
    if gap["length"] is not None:
        cards.append(
            html.card(f"{gap['length']:.1%}", "gap of the median correlation length", None)
        )
    if ratio is not None:
        text = "distance to the nearest real window, samples / unseen patches"
        cards.append(html.card(f"{ratio:.2f}", text, None))
    return '<div class="cards">' + "".join(cards) + "</div>"


def _samples(synthetic: NDArray[np.uint8], real: NDArray[np.uint8], images: ImageSet) -> str:
    sheets = [
        html.image(contact_sheet(as_colours(part[:SHOWN], images.phases)), name)
        for name, part in (("synthetic", synthetic), ("real", real))
    ]
    text = f"{SHOWN} of each at most, as they came; none was chosen."
    return html.section("Samples", text, TWO_COLUMNS + "".join(sheets) + "</div>")


def _charts(found: dict[str, Texture], folder: Path | None) -> str:
    text = (
        "One value an image: fraction of a phase (of two, the first; of grey values the dark one, "
        "by Otsu's threshold of the real images), perimeter / area, and the length λ fitted to "
        "exp(−h/λ). Figure 3 of Liu &amp; Mukerji 2022."
    )
    histograms = html.chart(histogram_chart(found), "histograms", "Shares of images.", folder)
    curves = html.chart(
        correlation_chart(found),
        "two-point",
        "R(h) = (S2 − φ²)/(φ(1 − φ)), mean of both axes; bands hold the middle 80 % of images; "
        "dashed: exp(−h/λ) fitted to the mean.",
        folder,
    )
    return html.section("Real against synthetic", text, histograms, curves)


def _nearest(
    synthetic: NDArray[np.uint8], nearest: Memorisation, images: ImageSet, directed: bool
) -> str:
    pairs = [
        picture
        for sample, near in zip(synthetic, nearest.samples, strict=False)
        for picture in (sample, near.window)
    ]
    sheet = contact_sheet(as_colours(np.stack(pairs), images.phases), columns=8)
    distances = [near.distance for near in nearest.samples]
    text = (
        "Each sample beside the window of the training images that is most like it, of all "
        f"{'places' if directed else 'places, rotations and mirrors'}. "
        f"Median distance {np.median(distances):.3f}"
    )
    if nearest.unseen.size:
        text += f"; of real patches never trained on, {np.median(nearest.unseen):.3f}"
    else:
        text += "; the run held no real patches out to compare it with"
    picture = html.image(sheet, "samples (odd columns), nearest (even)")
    return html.section("Memorised?", text + ".", ONE_COLUMN + picture + "</div>")

"""Which measures of which layers: groups, subjects, boxes, and what is ticked; no Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from napari_superres.data.boxes import Box
from napari_superres.errors import SettingsError, ShapeError
from napari_superres.measures.measuring import Subject
from napari_superres.measures.summary import QUICK_MEASURES
from napari_superres.widgets.layers.data import slices_from_layers
from napari_superres.widgets.layers.geometry import box_of_vertices
from napari_superres.widgets.layers.notes import SUPER_RES, TRUTH, is_map, role_of
from napari_superres.widgets.layers.view import LayerView, read_view


@dataclass(frozen=True)
class MeasureGroup:
    """Measures that are chosen together.

    Attributes
    ----------
    text : beside the tick
    measures : names out of `MEASURES`
    cheap : whether it is ticked to begin with
    tip : what it measures, and what it costs
    """

    text: str
    measures: tuple[str, ...]
    cheap: bool
    tip: str


GROUPS = (
    MeasureGroup(
        "Fractions, interfaces, triple phase boundary",
        QUICK_MEASURES,
        True,
        "About a second for 512³ voxels",
    ),
    MeasureGroup(
        "Surfaces and triple lines per volume",
        ("specific_surface_area", "interface_density", "triple_line_density"),
        True,
        "Areas by Crofton's formula, in 1/µm: seconds for 512³ voxels",
    ),
    MeasureGroup(
        "Percolating fractions",
        ("percolating_fraction",),
        True,
        "The share of each phase connected from face to face: seconds for 256³ voxels",
    ),
    MeasureGroup(
        "Two-point correlations and their length",
        ("two_point", "correlation_length"),
        False,
        "Up to 80 voxels along each axis: seconds for 256³ voxels",
    ),
    MeasureGroup(
        "Chord lengths",
        ("chord_length", "mean_chord_length"),
        False,
        "Along each axis: seconds for 256³ voxels",
    ),
    MeasureGroup(
        "Fourier profiles",
        ("fourier_profile",),
        False,
        "How much detail there is at each spatial frequency",
    ),
    MeasureGroup(
        "Transport efficiency",
        ("transport_efficiency",),
        False,
        "Steady diffusion in each phase along each axis: minutes for 256³ voxels",
    ),
)


def subject_of(view: LayerView) -> Subject:
    """Return a layer as something to measure."""
    return Subject(view.name, lambda: read_view(view))


def subject_of_slices(views: Sequence[LayerView]) -> Subject:
    """Return high-res layers as one set of slices to compare with."""
    return Subject("high-res slices", lambda: slices_from_layers(views))


def can_be_measured(layer: Any) -> bool:
    """Whether a layer may hold phases: no colours, and neither a map nor a swipe made here."""
    return not is_map(layer) and not getattr(layer, "rgb", False)


def chosen_measures(ticked: Iterable[bool]) -> list[str]:
    """Return the measures of the ticked groups; SettingsError where none is."""
    measures = [
        name for group, on in zip(GROUPS, ticked, strict=True) if on for name in group.measures
    ]
    if not measures:
        raise SettingsError("No measure is chosen.", action="Tick at least one.")
    return measures


def box_in_layer(vertices: ArrayLike, shape: Sequence[int], displayed: Sequence[int]) -> Box:
    """Return the voxels of a layer inside a rectangle, over its whole depth.

    Parameters
    ----------
    vertices : (k, 3) corners in voxels of the layer
    shape : of the layer, zyx
    displayed : the axes in which the rectangle was drawn
    """
    whole = Box.whole(shape)
    box = box_of_vertices(vertices, whole, displayed).within(whole)
    if box.size == 0:
        raise ShapeError(
            "The rectangle lies outside of the layer.",
            "It has to cover a part of it.",
            "Draw it over the volume, or measure the whole layer.",
        )
    return box


def default_subjects(layers: Sequence[Any]) -> list[Any]:
    """Return what is measured by default: realisations, else the first volume."""
    made = [layer for layer in layers if role_of(layer) == SUPER_RES]
    return made or [layer for layer in layers if layer.ndim == 3][:1]


def ticked_layers(
    before: Sequence[Any],
    ticked: Sequence[Any],
    now: Sequence[Any],
    usual: Callable[[Sequence[Any]], list[Any]] = default_subjects,
) -> list[Any]:
    """Return the layers to tick once the viewer's layers have changed.

    What is ticked stays; a new layer is ticked where it is among the usual ones;
    so are all of these where nothing is ticked, or nothing but them was.

    Parameters
    ----------
    before, now : all layers, unwrapped
    ticked : of those before
    usual : what is ticked by default
    """
    if not ticked or _alike(ticked, usual(before)):
        return usual(now)
    fresh = [one for one in usual(now) if one not in before]
    return [one for one in now if one in ticked or one in fresh] or usual(now)


def _alike(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(one in others for one in some)


def default_reference(layers: Sequence[Any]) -> Any | None:
    """Return the truth among the layers, None for the slices or nothing."""
    return next((layer for layer in layers if role_of(layer) == TRUTH), None)

"""Layers in different units of length in one viewer, which napari shows in the smallest of them."""

import numpy as np
from napari.layers import Labels, Shapes

from napari_superres.widgets.compare.swipe_array import places_in
from napari_superres.widgets.layers.box_drawing import vertices_on
from napari_superres.widgets.layers.scale import in_units_of
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.segment.panel import SegmentPanel

NM = {"scale": (400, 400, 400), "units": ("nm",) * 3}
UM = {"scale": (0.4, 0.4, 0.4), "units": ("um",) * 3}


def labels(**placed):
    return Labels(np.ones((4, 4, 4), np.uint8), **placed)


def test_the_preview_lies_on_the_plane_in_view(make_napari_viewer_proxy, qtbot):
    viewer = make_napari_viewer_proxy()
    grey = np.random.default_rng(0).integers(0, 255, (20, 20, 20)).astype(np.uint8)
    volume = viewer.add_image(grey, name="ct", **UM)
    viewer.add_image(grey[0], name="sem", scale=(100, 100), units=("nm",) * 2)
    panel = SegmentPanel(viewer, Session())
    viewer.window.add_dock_widget(panel, name="segment")
    panel.choose(volume)
    viewer.dims.set_point(0, 5 * 400)  # the sixth plane, in nm
    preview = lambda: panel.preview.layer  # noqa: E731
    qtbot.waitUntil(
        lambda: preview() is not None and np.isclose(preview().translate[0], 2), timeout=20_000
    )


def test_a_swipe_finds_the_same_voxels_whatever_the_units():
    found = places_in(labels(**UM), labels(**NM))
    np.testing.assert_array_equal(found, [np.arange(4)] * 3)


def test_a_rectangle_drawn_in_other_units_covers_the_same_voxels():
    corners = np.array([[0, 1, 1], [0, 1, 2], [0, 2, 2], [0, 2, 1]])
    shapes = Shapes([corners], shape_type="polygon", ndim=3, **NM)
    np.testing.assert_allclose(vertices_on(labels(**UM), shapes), corners)


def test_without_lengths_on_both_sides_numbers_stay():
    for units in (None, ("pixel",) * 3, ("s", "pixel", "pixel")):
        np.testing.assert_array_equal(in_units_of(labels(**UM), (1, 2, 3), units), (1, 2, 3))
    np.testing.assert_allclose(in_units_of(labels(**UM), (7, 1, 2, 3), ("s", *NM["units"])),
                               (7, 1e-3, 2e-3, 3e-3))  # fmt: skip

"""Curves with what they are to reach, without a viewer."""

import pytest

from napari_superres.widgets.layers.colours import ThemeColours
from napari_superres.widgets.parts.curves import Curve
from napari_superres.widgets.parts.live_plots import LivePlot

THEME = ThemeColours("#202020", "#888888", "#ffffff")
CURVES = {"pore": Curve([1, 2], [0.1, 0.2])}


@pytest.fixture
def plot(qtbot):
    plot = LivePlot("Volume fractions")
    qtbot.addWidget(plot)
    return plot


def test_a_target_that_is_known_later_than_the_curve_is_drawn(plot):
    plot.show_curves(CURVES, {}, THEME)
    plot.show_curves(CURVES, {}, THEME, {"pore": 0.3})
    assert plot._targets["pore"].value() == 0.3


def test_nothing_of_the_run_shown_before_is_left_in_the_plot(plot):
    plot.show_curves(CURVES, {}, THEME, {"pore": 0.3}, bands={"pore": (0.2, 0.4)})
    plot.show_curves(CURVES, {}, THEME)
    items = plot.plot.getPlotItem().items
    assert items == list(plot._lines.values())


def test_a_phase_may_be_called_by_signs_of_markup(plot):
    plot.show_curves({"grain <i>A": CURVES["pore"]}, {}, THEME)
    assert "grain&nbsp;&lt;i&gt;A" in plot.legend.text()

"""The Segment panel where layers change, move or go while it works."""

import threading

import numpy as np
import pytest

from napari_superres.errors import NotSegmentedError
from napari_superres.widgets.layers.notes import LOW_RES, role_of
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.segment import panel as segment_panel
from napari_superres.widgets.segment.panel import SegmentPanel


@pytest.fixture
def panel(make_napari_viewer_proxy, qtbot):
    viewer, random = make_napari_viewer_proxy(), np.random.default_rng(0)
    grey = random.integers(0, 2, (20, 20, 20)).astype(np.uint8) * 100 + 50
    viewer.add_image(grey, name="ct")
    viewer.add_image(grey[0], name="sem")
    panel = SegmentPanel(viewer, Session())
    viewer.window.add_dock_widget(panel, name="segment")
    panel.choose(viewer.layers["ct"])
    qtbot.waitUntil(lambda: bool(panel.thresholds), timeout=20_000)
    yield panel
    panel.runner.stop()
    panel.preview.hide()
    busy = lambda: panel.runner.active or panel.preview._work.busy or panel._sampling.busy  # noqa: E731
    qtbot.waitUntil(lambda: not busy(), timeout=20_000)
    qtbot.wait(50)


@pytest.fixture
def slowly(monkeypatch):
    """Let segmenting wait until it may go on."""
    go, real = threading.Event(), segment_panel.segment_events

    def waiting(*arguments):
        go.wait(20)
        yield from real(*arguments)

    monkeypatch.setattr(segment_panel, "segment_events", waiting)
    yield go
    go.set()


def test_another_layer_chosen_meanwhile_does_not_change_what_the_result_is(panel, slowly, qtbot):
    panel.form.apply.click()
    panel.choose(panel.viewer.layers["sem"])
    with qtbot.waitSignal(panel.segmented, timeout=20_000) as done:
        slowly.set()
    (layer,) = done.args
    assert layer.name == "ct segmented"
    assert role_of(layer) == LOW_RES
    assert panel.source.name == "ct"


def test_the_result_is_kept_when_the_layer_is_deleted_meanwhile(panel, slowly, qtbot):
    panel.form.apply.click()
    panel.viewer.layers.remove("ct")
    with qtbot.waitSignal(panel.segmented, timeout=20_000) as done:
        slowly.set()
    assert (done.args[0].name, done.args[0].ndim) == ("ct segmented", 3)


def test_the_result_lies_where_the_layer_was_moved_to_and_has_its_name(panel, qtbot):
    layer = panel.viewer.layers["ct"]
    layer.scale, layer.translate, layer.name = (2, 2, 2), (7, 0, 0), "tomogram"
    with qtbot.waitSignal(panel.segmented, timeout=20_000) as done:
        panel.form.apply.click()
    np.testing.assert_allclose(done.args[0].scale, 2)
    np.testing.assert_allclose(done.args[0].translate, (7, 0, 0))
    assert done.args[0].name == "tomogram segmented"


def test_thresholds_of_values_that_were_replaced_are_not_used(panel, qtbot):
    layer = panel.viewer.layers["ct"]
    layer.data = layer.data // 10
    panel.form.apply.click()
    assert not panel.runner.active
    qtbot.waitUntil(lambda: bool(panel.thresholds) and panel.thresholds[0] < 15, timeout=20_000)
    with qtbot.waitSignal(panel.segmented, timeout=20_000) as done:
        panel.form.apply.click()
    np.testing.assert_array_equal(done.args[0].data - 1, layer.data > 10)


def test_the_preview_goes_with_the_panel(panel, qtbot):
    qtbot.waitUntil(lambda: panel.preview.layer is not None, timeout=20_000)
    panel.viewer.window.remove_dock_widget(panel)
    assert [layer.name for layer in panel.viewer.layers] == ["ct", "sem"]


def test_an_error_is_told_as_it_is_and_its_preview_goes(panel, qtbot, monkeypatch):
    def fails(*_arguments):
        raise NotSegmentedError("Values of <class 'complex'>.")

    qtbot.waitUntil(lambda: panel.preview.layer is not None, timeout=20_000)
    monkeypatch.setattr(segment_panel, "sample_image", fails)
    panel.form.smooth.setValue(1)
    qtbot.waitUntil(lambda: "&lt;class" in panel.form.note.text(), timeout=20_000)
    assert panel.preview.layer is None

"""The Data step with real layers: what is chosen, what is read in a thread, segmenting first."""

import numpy as np
import pytest
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import Qt, QThreadPool
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit

from napari_superres.data.examples.pair import Example
from napari_superres.data.pair import Pair
from napari_superres.widgets.data.examples import example_layers
from napari_superres.widgets.data.step import READING, DataStep
from napari_superres.widgets.dock import TrainPanel
from napari_superres.widgets.inputs import inputs
from napari_superres.widgets.layers.notes import PREVIEW, layer_phases, role_of
from napari_superres.widgets.layers.shown import phase_layer
from napari_superres.widgets.run.session import Session
from tests.fakes import PHASES


@pytest.fixture
def step(make_napari_viewer_proxy, engine, qtbot):
    viewer = make_napari_viewer_proxy()
    step = DataStep(viewer, Session(engine))
    viewer.window.add_dock_widget(step, name="data")
    yield step
    idle = step.segment.runner
    qtbot.waitUntil(
        lambda: not idle.active and not step.segment.preview._work.busy, timeout=120_000
    )
    qtbot.wait(50)


@pytest.fixture
def filled(step, low_res, high_res):
    step.add_layers(example_layers(Example(Pair(low_res, high_res), None, None)))
    return step


def grey(truth, seed=0):
    noise = np.random.default_rng(seed).normal(0, 8, truth.shape)
    return (60 + 90 * truth + noise).astype(np.uint8)


def test_a_greyscale_pair_is_segmented_and_becomes_the_inputs(step, low_res, high_res, qtbot):
    um = {"units": ("um",) * 3}
    volume = np.kron(low_res.labels, np.ones((2, 2, 2), np.uint8))
    step.viewer.add_image(grey(volume), name="ct", scale=(0.4,) * 3, **um)
    image = high_res.sets[0][0]
    step.viewer.add_image(grey(image), name="sem", scale=(0.1,) * 2, units=("um",) * 2)
    step.segment_fold.expand()
    panel = step.segment
    for name, phases in (("ct", 2), ("sem", 3)):
        panel.choose(step.viewer.layers[name])
        qtbot.waitUntil(lambda: panel.form.apply.isEnabled(), timeout=120_000)
        panel.form.classes.setValue(phases)
        panel.form.apply.click()
        done = f"{name} segmented"
        qtbot.waitUntil(lambda done=done: done in step.viewer.layers, timeout=120_000)
    assert step.low_res.layer.name == "ct segmented"
    assert [layer.name for layer in step.high_res.layers] == ["sem segmented"]
    assert step.scale_factor.text() == "4"
    truth = step.viewer.layers["sem segmented"].data - 1
    assert (truth == image).mean() > 0.99


def test_the_preview_follows_the_slider_and_leaves_with_the_panel(step, qtbot):
    truth = (np.indices((16, 16, 16)).sum(0) // 4 % 2).astype(np.uint8)
    image = step.viewer.add_image(grey(truth), name="ct", scale=(2, 1, 1), units=("um",) * 3)
    step.segment_fold.expand()

    def shown():
        return [one for one in step.viewer.layers if role_of(one) == PREVIEW]

    qtbot.waitUntil(lambda: len(shown()) == 1, timeout=120_000)
    step.viewer.dims.set_current_step(0, 5)
    qtbot.waitUntil(lambda: shown()[0].translate[0] == 10, timeout=120_000)
    assert (shown()[0].data[0] == truth[5] + 1).mean() > 0.99
    assert step.low_res.findText(shown()[0].name) == -1
    step.segment_fold.collapse()
    assert shown() == []
    assert image.name in step.viewer.layers


def test_a_deleted_preview_stays_away(step, qtbot):
    step.viewer.add_image(grey(np.eye(20, dtype=np.uint8)), name="sem")
    step.segment_fold.expand()
    name = "preview of the segmentation"
    qtbot.waitUntil(lambda: name in step.viewer.layers, timeout=120_000)
    step.viewer.layers.remove(name)
    assert not step.segment.form.show_preview.isChecked()


def test_a_greyscale_choice_offers_to_segment_it(filled, qtbot):
    step = filled
    layer = step.viewer.add_image(np.arange(64 * 64).reshape(64, 64) % 200, name="sem")
    step.high_res.choose([layer])
    assert "greyscale" in step.message.text()
    assert not step.segment_it.isHidden()
    step.segment_it.click()
    assert step.segment_fold.isExpanded()
    assert step.segment.form.layer.layer.name == "sem"


def test_large_and_lazy_layers_are_read_in_a_thread(filled, qtbot, monkeypatch):
    step, asked = filled, []
    monkeypatch.setattr(inputs, "SMALL", 10)
    assert step.refresh(then=lambda: asked.append(step.inputs)) is None
    assert step.message.text() == READING
    assert not step.session.fusion.ready
    assert not step.phases.isEnabled()
    typed(step.scale_factor, "2")  # of the layers chosen before
    assert not step.session.fusion.ready
    qtbot.waitUntil(lambda: step.inputs is not None and bool(asked), timeout=120_000)
    assert step.message.text() == ""
    assert asked == [step.inputs]
    assert step.phases.isEnabled()


def test_a_lazy_layer_that_is_no_segmentation_is_told(filled, qtbot):
    dask_array = pytest.importorskip("dask.array")
    lazy = dask_array.from_array(np.arange(64 * 64).reshape(64, 64) % 200, chunks=32)
    layer = filled.viewer.add_image(lazy, name="lazy")
    filled.high_res.choose([layer])
    qtbot.waitUntil(lambda: "greyscale" in filled.message.text(), timeout=120_000)


def test_super_res_layers_take_a_changed_colour_and_keep_a_hidden_phase_hidden(filled):
    step = filled
    data, arguments, _ = phase_layer(np.zeros((4, 4, 4), np.uint8), PHASES, "sr", "super_res")
    result = step.viewer.add_labels(data, **arguments)
    hidden = dict(result.colormap.color_dict) | {2: "transparent"}
    result.colormap = DirectLabelColormap(color_dict=hidden)
    table = step.phases.table.changed(0, colour="#ff0000")
    step.phases.edited.emit(table)
    assert layer_phases(result)[0].colour == "#ff0000"
    np.testing.assert_allclose(result.colormap.color_dict[1], (1, 0, 0, 1))
    assert result.colormap.color_dict[2][3] == 0


def test_the_table_shows_both_fractions_and_follows_the_map(filled):
    table = filled.phases
    texts = [table.item(2, column).text() for column in (3, 5)]
    low = filled.inputs.table.low_res
    assert texts[1] == f"{low[filled.inputs.table.rows[2].belongs_to]:.3f}"
    other = 1 - filled.inputs.table.rows[2].belongs_to
    table.cellWidget(2, 4).setCurrentIndex(other)
    assert table.item(2, 5).text() == f"{low[other]:.3f}"


def test_leaving_a_size_field_changes_no_size(step, low_res, high_res):
    um = ("um",) * 3
    step.viewer.add_labels(low_res.labels + 1, scale=(0.123456,) * 3, units=um, name="low")
    image = high_res.sets[0][0] + 1
    step.viewer.add_labels(image, scale=(0.030864,) * 2, units=("um",) * 2, name="high")
    step.pickers.choose(step.viewer.layers["low"], [step.viewer.layers["high"]])
    step.low_size.editingFinished.emit()
    assert step.viewer.layers["low"].scale[0] == 0.123456


def test_an_anisotropic_material_asks_for_three_layers(filled):
    step = filled
    step.anisotropic.setChecked(True)
    assert "z and y and x" in step.axes.note.text()
    layer = step.viewer.layers[-1]
    assert isinstance(getattr(layer, "__wrapped__", layer), Labels)
    step.axes.choose([layer] * 3)
    assert step.axes.note.text() == ""
    assert step.inputs.pair.high_res.anisotropic
    assert step.pickers.high_res.isHidden()
    step.anisotropic.setChecked(False)
    assert not step.pickers.high_res.isHidden()


def test_every_control_can_be_reached_by_the_keyboard_and_has_a_tooltip(step):
    kinds = (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox)
    inner = ("qt_spinbox_lineedit",)
    for kind in kinds:
        for widget in step.findChildren(kind):
            if widget.objectName() in inner or isinstance(widget.parent(), kinds):
                continue
            if type(widget).__module__.startswith("pyqtgraph"):
                continue
            if widget.objectName().startswith("qt_") or widget.parent() is step.phases:
                continue
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget
            assert widget.toolTip(), (widget, widget.accessibleName())


def test_a_slice_is_ticked_with_the_space_bar(filled):
    step = filled
    step.high_res.choose([])
    step.pickers.by_person = False
    step.high_res.setFocus()
    step.high_res.setCurrentRow(0)
    QTest.keyClick(step.high_res, Qt.Key.Key_Space)
    assert len(step.high_res.layers) == 1
    assert step.pickers.by_person


def typed(edit, text):
    edit.setText(text)
    edit.editingFinished.emit()


def test_sizes_of_an_anisotropic_material_are_written_along_each_slice_s_own_axes(step, low_res):
    low = step.viewer.add_labels(low_res.labels, name="low", scale=(0.4, 0.4, 0.8), units="um")
    image = (np.indices((64, 64)).sum(0) // 5 % 3).astype(np.uint8)
    slices = [step.viewer.add_labels(image, name=axis) for axis in "zyx"]
    step.low_res.choose(low)
    step.anisotropic.setChecked(True)
    step.axes.choose(slices)
    typed(step.high_size, "0.1, 0.2, 0.4")
    assert step.message.text() == ""
    assert step.inputs.pair.high_res.voxel_size == pytest.approx((0.1, 0.2, 0.4))
    np.testing.assert_allclose(
        [layer.scale for layer in slices], [(0.2, 0.4), (0.1, 0.4), (0.1, 0.2)]
    )
    assert step.scale_factor.text() == "4,2,2"


def test_a_size_that_is_not_typed_keeps_all_its_digits(filled):
    low, high = filled.low_res.layer, filled.high_res_layers[0]
    low.scale = (0.123456,) * 3
    filled.refresh()
    typed(filled.high_size, "0.0625")
    assert tuple(low.scale) == (0.123456,) * 3
    np.testing.assert_allclose(high.scale, 0.0625)


def test_a_scale_factor_typed_against_the_voxel_sizes_is_what_is_trained_with(filled):
    started = []
    typed(filled.scale_factor, "2")
    filled.refresh(then=lambda: started.append(filled.session.fusion.inputs.scale_factor[0]))
    assert started == [2]
    assert filled.scale_factor.text() == "2"
    assert "voxel sizes say 4" in filled.sizes.note.text()
    typed(filled.scale_factor, "")
    assert filled.scale_factor.text() == "4"
    assert filled.session.fusion.ready


def test_other_sizes_make_a_scale_factor_again(filled):
    typed(filled.scale_factor, "2")
    typed(filled.high_size, "0.05")
    assert filled.scale_factor.text() == "8"


def test_a_training_of_the_step_by_itself_takes_the_layers_as_they_are_now(filled, qtbot):
    train = TrainPanel(filled.viewer, filled.session)
    filled.viewer.window.add_dock_widget(train, name="Train")
    asked = []
    train.train.start = lambda: asked.append(filled.session.fusion.inputs.pair.low_res.labels.sum())
    before = filled.session.fusion.inputs.pair.low_res.labels.sum()
    layer = filled.low_res.layer
    layer.data = np.where(layer.data == 1, 2, layer.data)
    train.run_bar.start.click()
    assert asked[0] > before
    qtbot.waitUntil(lambda: QThreadPool.globalInstance().activeThreadCount() == 0, timeout=60_000)

"""Every control of every step can be reached by keyboard, is told, and grows with the letters."""

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QShortcut
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QTabBar,
    QTableView,
)

from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.layers.box_drawing import BOX_COLOUR
from napari_superres.widgets.layers.colours import contrast
from napari_superres.widgets.parts.layer_pickers import LayerChecklist
from napari_superres.widgets.synthesis.gallery_form import FIRST, Thumbnails

KINDS = (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox)


def controls_of(widget):
    """Return what is pressed or typed into, without the inner parts of Qt's own widgets."""
    found = [one for kind in KINDS for one in widget.findChildren(kind)]
    inner = (*KINDS, QTabBar, QTableView)
    return [
        one
        for one in found
        if not isinstance(one.parent(), inner)
        and not one.objectName().startswith("qt_")
        and not type(one).__module__.startswith("pyqtgraph")
    ]


def told(control):
    name = control.accessibleName() or control.objectName()
    return f"{type(control).__name__} {getattr(control, 'text', str)()} {name}".strip()


def test_every_control_of_every_step_has_a_tooltip_and_is_reached_by_the_tab_key(bench):
    found = controls_of(bench.dock)
    assert len(found) > 60
    assert [told(one) for one in found if not one.toolTip()] == []
    out_of_reach = [one for one in found if not one.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert [told(one) for one in out_of_reach] == []


def chain(step):
    """Return a step's widgets in the order of the Tab key.

    It goes no farther: PySide6 keeps alive all that the chain of the window passes.
    """
    order, one = [], step.nextInFocusChain()
    while step.isAncestorOf(one):
        order.append(one)
        one = one.nextInFocusChain()
    return order


def test_the_tab_key_goes_through_a_step_as_it_is_read(bench):
    train, form, export = bench.dock.train, bench.dock.generate.form, bench.dock.export
    dials = (train.choices["imaging"], train.preset, train.device, train.minutes, train.seed)
    read = {
        train: [dial.native for dial in dials] + [train.folder, train.choose, train.copy],
        form: [form.checkpoint, form.seed, form.count, form.region, form.draw, form.crop_border],
        export: [
            export.layer,
            *export.box_form.spins[0],
            *export.box_form.spins[2],
            export.draw,
            export.path,
        ],
    }
    for step, widgets in read.items():
        order = chain(step)
        places = [order.index(widget) for widget in widgets]
        assert places == sorted(places)


def test_keys_lead_to_the_steps_and_press_the_buttons(bench):
    keys = {one.key().toString(): one for one in bench.dock.findChildren(QShortcut)}
    keys["Alt+4"].activated.emit()
    assert bench.dock.tabs.currentIndex() == 3
    keys["Alt+G"].activated.emit()
    bench.until(RunState.COMPLETED)
    assert "Alt+G" in bench.dock.run_bar.start.toolTip()
    actions = bench.dock.window().findChildren(QAction)
    assert not {action.shortcut().toString() for action in actions} & set(keys)


def test_a_list_of_layers_grows_with_the_letters(qtbot):
    layers = LayerChecklist()
    qtbot.addWidget(layers)
    before, font = layers.minimumHeight(), layers.font()
    font.setPixelSize(4 * layers.fontMetrics().height())
    layers.setFont(font)
    assert layers.minimumHeight() > 2 * before
    assert layers.maximumHeight() > layers.minimumHeight()


def test_many_thumbnails_are_made_bit_by_bit(qtbot):
    thumbnails = Thumbnails()
    qtbot.addWidget(thumbnails)
    images = np.zeros((FIRST + 20, 8, 8), np.uint8)
    names = [f"sample {number}" for number in range(len(images))]
    thumbnails.show_images(images, names, ())
    assert thumbnails.count() == FIRST
    qtbot.waitUntil(lambda: thumbnails.count() == len(images), timeout=20_000)
    assert thumbnails.item(len(images) - 1).toolTip() == names[-1]


def test_thumbnails_that_are_not_made_yet_are_cleared_too(qtbot):
    thumbnails = Thumbnails()
    qtbot.addWidget(thumbnails)
    thumbnails.show_images(np.zeros((FIRST + 20, 8, 8), np.uint8), [""] * (FIRST + 20), ())
    thumbnails.pick([1])
    thumbnails.clear()
    qtbot.wait(50)
    assert (thumbnails.count(), thumbnails.picked) == (0, [])


def test_a_box_can_be_seen_on_the_canvas_of_both_themes():
    assert contrast(BOX_COLOUR, "#000000") > 4
    assert contrast(BOX_COLOUR, "#ffffff") > 4


def test_nothing_of_the_panel_is_a_window_of_its_own(bench):
    bench.generated()
    ours = [
        one
        for one in QApplication.topLevelWidgets()
        if type(one).__module__.startswith("napari_superres")
    ]
    assert [told(one) for one in ours if one.isVisible()] == []

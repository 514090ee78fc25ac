"""Which layers are the inputs: guessed or chosen, with a drawing of each direction's plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QPointF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QSizePolicy, QWidget

from napari_superres.widgets.layers.notes import guess_roles, same_layer
from napari_superres.widgets.layers.placement import AXES
from napari_superres.widgets.parts.layer_pickers import (
    LayerChecklist,
    LayerCombo,
    candidates,
    on_layers,
)
from napari_superres.widgets.parts.layout import Note, fill_column, new_form
from napari_superres.widgets.parts.timers import single_shot

Point = tuple[float, float]
STEPS: tuple[Point, Point, Point] = ((0.42, -0.30), (0.0, 1.0), (1.0, 0.0))
"""One side of the cube along z, y and x as drawn, in shares of its side: right, down."""


class InputPickers(QWidget):
    """A low-res layer and high-res layers, kept in step with the viewer.

    Signals
    -------
    chosen : another choice, by a person or not
    touched : a person chose something
    """

    chosen = Signal()
    touched = Signal()

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.by_person = False
        self._guess = single_shot(self, self._choose_likely)
        self.low_res = LayerCombo()
        self.low_res.setToolTip("Segmented volume to sharpen: a Labels or Image layer, axes z y x")
        self.high_res = LayerChecklist()
        self.high_res.setToolTip("Segmented slices of the same material; a stack counts as many")
        self.anisotropic = QCheckBox("The material differs between axes (anisotropic)")
        self.anisotropic.setToolTip("Needs slices normal to each of the three axes")
        self.axes = AxisPickers()
        self.axes.hide()
        form = new_form()
        form.addRow("Low-res volume", self.low_res)
        self._high_res_label = QLabel("High-res slices")
        form.addRow(self._high_res_label, self.high_res)
        fill_column(self, form, self.anisotropic, self.axes)
        on_layers(viewer, self.refill)
        self.low_res.chosen.connect(self._on_low_res)
        self.high_res.chosen.connect(self.chosen)
        self.low_res.activated.connect(self._touch)
        self.high_res.picked.connect(self._touch)
        self.anisotropic.toggled.connect(self._on_anisotropic)
        self.axes.chosen.connect(self.chosen)

    @property
    def high_res_layers(self) -> list[Any]:
        """The chosen high-res layers; three, in zyx order, for an anisotropic material."""
        return self.axes.layers if self.anisotropic.isChecked() else self.high_res.layers

    @property
    def layers(self) -> list[Any]:
        """All chosen layers."""
        return [one for one in (self.low_res.layer, *self.high_res_layers) if one is not None]

    def choose(self, low_res: Any | None, high_res: Sequence[Any]) -> None:
        """Choose layers for a person; None and nothing keep what is chosen."""
        self.by_person = True
        if low_res is not None:
            self.low_res.choose(low_res)
        if high_res:
            self.high_res.choose(high_res)

    def replace(self, old: Any, new: Any) -> None:
        """Tick one slice layer instead of another, besides those that are ticked."""
        kept = [one for one in self.high_res.layers if not same_layer(one, old)]
        self.choose(None, [*kept, new])

    def refill(self, _event: object = None) -> None:
        """Offer the viewer's layers, keeping the choice where it is still there."""
        layers = candidates(self.viewer)
        self.low_res.refill(layers)
        self.axes.refill(layers)
        self._refill_high_res()
        if not self.by_person:
            self._guess.start()

    def _choose_likely(self) -> None:
        """Choose inputs for a person who has not; several layers may have come at once."""
        low, high = guess_roles(list(reversed(candidates(self.viewer))))
        if not self.by_person and low is not None and high:
            self.low_res.choose(low)
            self.high_res.choose(high)

    def _touch(self, _item: object = None) -> None:
        self.by_person = True
        self.touched.emit()

    def _refill_high_res(self) -> None:
        chosen = self.low_res.layer
        self.high_res.refill(
            [one for one in candidates(self.viewer) if not same_layer(one, chosen)]
        )

    def _on_low_res(self) -> None:
        self._refill_high_res()
        self.chosen.emit()

    def _on_anisotropic(self, on: bool) -> None:
        self.axes.setVisible(on)
        for part in (self.high_res, self._high_res_label):  # each axis has its own instead
            part.setVisible(not on)
        self.chosen.emit()


class AxisPickers(QWidget):
    """Three layers, normal to z, y and x; one layer may serve two axes.

    Signals
    -------
    chosen : another layer is chosen
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setVerticalSpacing(2)
        layout.setColumnStretch(1, 1)
        self.combos = [LayerCombo() for _ in AXES]
        for axis, combo in enumerate(self.combos):
            layout.addWidget(PlaneDiagram(axis), 2 * axis, 0, 2, 1)
            label = QLabel(plane_text(axis))
            label.setBuddy(combo)
            layout.addWidget(label, 2 * axis, 1)
            layout.addWidget(combo, 2 * axis + 1, 1)
            combo.setToolTip(
                f"Slices normal to {AXES[axis]}. Choose one layer for two axes that look alike"
            )
            combo.setAccessibleName(plane_text(axis))
            combo.chosen.connect(self._on_chosen)
        self.note = Note()
        layout.addWidget(self.note, 6, 0, 1, 2)

    @property
    def layers(self) -> list[Any | None]:
        """The chosen layers in zyx order, None where none is chosen."""
        return [combo.layer for combo in self.combos]

    def refill(self, layers: Sequence[Any]) -> None:
        """Offer other layers, keeping the choice where it is still there."""
        for combo in self.combos:
            combo.refill(layers)
        self._show_missing()

    def choose(self, layers: Sequence[Any]) -> None:
        """Choose three layers, in zyx order."""
        for combo, layer in zip(self.combos, layers, strict=True):
            combo.choose(layer)

    def _on_chosen(self) -> None:
        self._show_missing()
        self.chosen.emit()

    def _show_missing(self) -> None:
        self.note.setText(missing_text(self.layers))


def missing_text(layers: Sequence[Any | None]) -> str:
    """Return which axes still lack a layer."""
    missing = [name for name, layer in zip(AXES, layers, strict=True) if layer is None]
    return f"Choose a layer for {' and '.join(missing)}." if missing else ""


@dataclass(frozen=True)
class Drawing:
    """What is drawn, in shares of the cube's side from its front upper left corner.

    Attributes
    ----------
    edges : pairs of points, the cube
    plane : four corners, the slice half way along its axis
    labels : axis and the place of its name
    """

    edges: tuple[tuple[Point, Point], ...]
    plane: tuple[Point, Point, Point, Point]
    labels: tuple[tuple[str, Point], ...]


def plane_text(axis: int) -> str:
    """Return which plane a slice normal to an axis shows: rows downwards, columns to the right."""
    down, right = (AXES[a] for a in range(3) if a != axis)
    return f"Normal to {AXES[axis]}: {down} down, {right} right"


def drawing(axis: int) -> Drawing:
    """Return the drawing for slices normal to an axis (0 z, 1 y, 2 x)."""
    corners = [(z, y, x) for z in (0, 1) for y in (0, 1) for x in (0, 1)]
    edges = tuple(
        (_on_paper(one), _on_paper(other))
        for number, one in enumerate(corners)
        for other in corners[number + 1 :]
        if sum(a != b for a, b in zip(one, other, strict=True)) == 1
    )
    in_plane = [a for a in range(3) if a != axis]
    plane = []
    for first, second in ((0, 0), (0, 1), (1, 1), (1, 0)):
        place = [0.5, 0.5, 0.5]
        place[in_plane[0]], place[in_plane[1]] = first, second
        plane.append(_on_paper(place))
    labels = (
        ("x", (0.5, 1.19)),
        ("y", (-0.20, 0.5)),
        ("z", (0.0, -0.22)),
    )
    return Drawing(edges, (plane[0], plane[1], plane[2], plane[3]), labels)


def _on_paper(place: Sequence[float]) -> Point:
    right = sum(share * step[0] for share, step in zip(place, STEPS, strict=True))
    down = sum(share * step[1] for share, step in zip(place, STEPS, strict=True))
    return right, down


class PlaneDiagram(QWidget):
    """The drawing for one axis, in the theme's colours."""

    def __init__(self, axis: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.axis = axis
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(self.sizeHint())
        self.setAccessibleName(plane_text(axis))
        self.setToolTip(f"{plane_text(axis)}. The slice is the coloured plane")

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        """Return a size in which the letters can be read."""
        line = self.fontMetrics().height()
        return QSize(round(4.2 * line), round(4.2 * line))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        """Draw with lines, so that it is crisp at every scaling."""
        picture, side = drawing(self.axis), self.width() * 0.5
        left, top = self.width() * 0.19, self.height() * 0.25

        def at(point: Point) -> QPointF:
            return QPointF(left + side * point[0], top + side * point[1])

        ink = self.palette().color(QPalette.ColorRole.WindowText)
        faint = QColor(ink)
        faint.setAlpha(130)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(faint, 1))
        for one, other in picture.edges:
            painter.drawLine(at(one), at(other))
        filled = QColor("#5b9bd5")
        painter.setPen(QPen(filled, 1.5))
        filled.setAlpha(170)
        painter.setBrush(filled)
        painter.drawPolygon(QPolygonF([at(point) for point in picture.plane]))
        painter.setPen(ink)
        for name, point in picture.labels:
            box = self.fontMetrics().boundingRect(name)
            box.moveCenter(at(point).toPoint())
            painter.drawText(box.adjusted(-2, -2, 2, 2), Qt.AlignmentFlag.AlignCenter, name)
        painter.end()

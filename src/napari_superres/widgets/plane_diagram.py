"""A small drawing of which plane a slice is: a cube, its axes, and the plane in it."""

from __future__ import annotations

from dataclasses import dataclass

from qtpy.QtCore import QPointF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

AXES = ("z", "y", "x")
Point = tuple[float, float]

# on paper: x to the right, y down, z into the depth, in shares of the cube's side
_STEP: dict[int, Point] = {0: (0.42, -0.30), 1: (0.0, 1.0), 2: (1.0, 0.0)}


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


def _on_paper(place: tuple[float, ...] | list[float]) -> Point:
    right = sum(share * _STEP[axis][0] for axis, share in enumerate(place))
    down = sum(share * _STEP[axis][1] for axis, share in enumerate(place))
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

"""The phase table: colour, value, name, the low-res phase it belongs to, fractions of both."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QComboBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QWidget,
)

from napari_superres.widgets.inputs.phases import PhaseRow, PhaseTable

COLUMNS = ("", "Value", "Name", "In HR", "Belongs to", "In LR")
COLOUR, VALUE, NAME, FRACTION, BELONGS, LOW_FRACTION = range(6)
TIPS = (
    "Shared by low-res, high-res and super-res layers",
    "Label value in the high-res slices",
    "Double-click, or F2, to rename",
    "Fraction of the high-res slices",
    "The low-res phase (label value) that this high-res phase is a part of",
    "Fraction of that low-res phase in the low-res volume",
)


class PhaseTableView(QTableWidget):
    """An editable view of a `PhaseTable`.

    Signals
    -------
    edited : PhaseTable, after the user changed a name, a colour or the map
    """

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self.table: PhaseTable | None = None
        self.setHorizontalHeaderLabels(COLUMNS)
        for column, tip in enumerate(TIPS):
            self.horizontalHeaderItem(column).setToolTip(tip)
        self.setAccessibleName("Phases of the high-res slices")
        self.setTabKeyNavigation(False)  # the Tab key leads out, the arrows lead around
        self.verticalHeader().hide()
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setShowGrid(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(24)
        for column in (COLOUR, VALUE, FRACTION, BELONGS, LOW_FRACTION):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self.itemChanged.connect(self._on_item)
        self.show_table(None)

    def show_table(self, table: PhaseTable | None) -> None:
        """Show other rows; None for an empty table."""
        before, self.table = self.table, table
        rows = table.rows if table is not None else ()
        with QSignalBlocker(self):
            if _structure(before) != _structure(table):
                self.setRowCount(0)
                self.setRowCount(len(rows))
                for index in range(len(rows)):
                    self._add_controls(index)
            for index, row in enumerate(rows):
                self._fill(index, row)
        line = self.fontMetrics().height() + 14  # a drop-down list, and some room around it
        self.verticalHeader().setDefaultSectionSize(line)
        height = self.horizontalHeader().sizeHint().height() + 4
        height += sum(self.rowHeight(index) for index in range(len(rows)))
        self.setFixedHeight(max(height, 2 * line))

    def _add_controls(self, index: int) -> None:
        button = QToolButton()
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(partial(self._pick_colour, index))
        self.setCellWidget(index, COLOUR, button)
        combo = QComboBox()
        combo.setToolTip(TIPS[BELONGS])
        combo.currentIndexChanged.connect(partial(self._on_map, index))
        self.setCellWidget(index, BELONGS, combo)

    def _fill(self, index: int, row: PhaseRow) -> None:
        assert self.table is not None
        button = self.cellWidget(index, COLOUR)
        button.setToolTip(f"Colour of {row.name}")
        button.setAccessibleName(f"Colour of {row.name}")
        button.setStyleSheet(
            f"QToolButton {{ background: {row.colour}; border: 1px solid gray; "
            "border-radius: 3px; margin: 4px; min-width: 16px; min-height: 16px; }"
        )
        self._text(index, VALUE, str(row.value))
        self._text(index, NAME, row.name, editable=True)
        self._text(index, FRACTION, f"{row.fraction:.3f}")
        combo = self.cellWidget(index, BELONGS)
        with QSignalBlocker(combo):
            combo.clear()
            for value in self.table.low_res:
                combo.addItem(str(value), value)
            combo.setCurrentIndex(combo.findData(row.belongs_to))
        combo.setAccessibleName(f"Low-res phase of {row.name}")
        self._text(index, LOW_FRACTION, f"{self.table.low_res[row.belongs_to]:.3f}")

    def _text(self, index: int, column: int, text: str, editable: bool = False) -> None:
        item = QTableWidgetItem(text)
        flags = Qt.ItemFlag.ItemIsEnabled
        if editable:
            flags |= Qt.ItemFlag.ItemIsEditable
            item.setToolTip(TIPS[NAME])
        else:
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
        item.setFlags(flags)
        self.setItem(index, column, item)

    def _on_item(self, item: QTableWidgetItem) -> None:
        if item.column() != NAME or self.table is None:
            return
        if item.text().strip():
            self._edit(item.row(), name=item.text().strip())
        self.show_table(self.table)  # a name that was emptied comes back

    def _on_map(self, index: int, choice: int) -> None:
        if self.table is not None:
            self._edit(index, belongs_to=list(self.table.low_res)[choice])
            self.show_table(self.table)

    def _pick_colour(self, index: int) -> None:
        assert self.table is not None
        row = self.table.rows[index]
        colour = QColorDialog.getColor(QColor(row.colour), self, f"Colour of {row.name}")
        if colour.isValid():
            self._edit(index, colour=colour.name())
            self.show_table(self.table)

    def _edit(self, index: int, **changes: object) -> None:
        assert self.table is not None
        self.table = self.table.changed(index, **changes)
        self.edited.emit(self.table)


def _structure(table: PhaseTable | None) -> tuple[int, ...]:
    """Return what decides whether the rows' controls can stay."""
    return tuple(row.value for row in table.rows) if table is not None else ()

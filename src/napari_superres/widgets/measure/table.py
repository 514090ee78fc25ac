"""The table of measures: values beside their reference, differences in colour; can be saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QGuiApplication, QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from napari_superres.errors import SuperResError
from napari_superres.measures.measuring import Measured
from napari_superres.measures.rows import Row
from napari_superres.widgets.layers.colours import readable
from napari_superres.widgets.measure.words import Grid, Line, grid_of, table_text, write_table
from napari_superres.widgets.parts.layout import fill_column, row_of
from napari_superres.widgets.parts.paths import with_kind

GOOD, BAD = "#1f9d5c", "#d9622b"
MOST_LINES = 14


class MeasureTable(QWidget):
    """Rows of measures with buttons to copy and to save them."""

    def __init__(self) -> None:
        super().__init__()
        self.finished: Measured | None = None
        self.rows: list[Row] = []
        self.table = QTableWidget()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        vertical = self.table.verticalHeader()
        vertical.hide()
        self.copy = QPushButton("Copy table")
        self.copy.setToolTip("All digits, tab-separated, for a spreadsheet (Ctrl+C in the table)")
        self.save = QPushButton("Save table …")
        self.save.setToolTip("As CSV, or as JSON with all curves")
        fill_column(self, self.table, row_of(self.copy, self.save))
        self.copy.clicked.connect(self.copy_all)
        self.save.clicked.connect(self.ask_and_save)
        self.hide()

    def show_result(self, finished: Measured, rows: Sequence[Row], background: str) -> None:
        """Show what was measured, readable on a background ("#rrggbb")."""
        self.finished, self.rows = finished, list(rows)
        self._fill(grid_of(rows, self._names(), self._reference()), background)
        self.show()

    def recolour(self, background: str) -> None:
        """Show the same on another background."""
        if self.finished is not None:
            self.show_result(self.finished, self.rows, background)

    def _names(self) -> list[str]:
        return [one["name"] for one in self.finished.found] if self.finished else []

    def _reference(self) -> str | None:
        reference = self.finished.reference if self.finished else None
        return None if reference is None else str(reference["name"])

    def _fill(self, grid: Grid, background: str) -> None:
        table = self.table
        table.clear()
        table.clearSpans()
        table.setRowCount(len(grid.lines))
        table.setColumnCount(len(grid.head))
        table.setHorizontalHeaderLabels(grid.head)
        for row, line in enumerate(grid.lines):
            for column in range(len(line.cells)):
                table.setItem(row, column, _item(line, column, grid.gap, background))
            if line.heading:
                table.setSpan(row, 0, 1, len(grid.head))
        header, font = table.horizontalHeader(), table.fontMetrics()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        table.resizeColumnToContents(0)
        letter, height = font.averageCharWidth(), font.height() + 6
        table.setColumnWidth(0, min(max(table.columnWidth(0), 16 * letter), 24 * letter))
        table.verticalHeader().setDefaultSectionSize(height)
        lines = min(len(grid.lines), MOST_LINES)
        table.setMinimumHeight(header.sizeHint().height() + height * (lines + 1))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  Qt's name
        """Copy everything where a table would copy one cell."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_all()
            return
        super().keyPressEvent(event)

    def copy_all(self) -> None:
        """Put the table on the clipboard, tab-separated."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None and self.rows:
            clipboard.setText(table_text(self.rows, self._names(), self._reference()))
            show_info(f"{len(self.rows)} rows are on the clipboard.")

    def ask_and_save(self) -> None:
        """Ask for a file and write the table."""
        start = str(Path.home() / "measures.csv")
        kinds = "Table (*.csv);;Numbers and curves (*.json)"
        path, kind = QFileDialog.getSaveFileName(self, "Save measures", start, kinds)
        if path and self.finished is not None:
            try:
                written = write_table(with_kind(Path(path), kind), self.finished, self.rows)
            except SuperResError as error:
                show_error(str(error))
                return
            show_info(f"Saved {written.name}.")


def _item(line: Line, column: int, gap: int, background: str) -> QTableWidgetItem:
    """Return a cell: headings bold, numbers to the right, gaps in colour."""
    text = line.cells[column]
    item = QTableWidgetItem(text)
    if line.heading:
        font = item.font()
        font.setBold(True)
        item.setFont(font)
    elif not column:
        item.setToolTip(text.strip())  # long names are cut off
    if column:
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    if column == gap and line.good is not None:
        item.setForeground(QColor(readable(GOOD if line.good else BAD, background, 4.5)))
        item.setToolTip(line.tip)
    return item

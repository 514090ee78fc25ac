"""The table of measures: values beside their reference, gaps in colour, to copy and to save."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QGuiApplication, QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_superres.errors import SuperResError
from napari_superres.measures.rows import Row
from napari_superres.measures.taking import MeasuringFinished
from napari_superres.widgets.layers.colours import readable
from napari_superres.widgets.measure.words import Grid, grid_of, table_text, write_table
from napari_superres.widgets.parts.paths import with_kind

GOOD, BAD = "#1f9d5c", "#d9622b"
MOST_LINES = 14


class MeasureTable(QWidget):
    """Rows of measures with buttons to copy and to save them."""

    def __init__(self) -> None:
        super().__init__()
        self.finished: MeasuringFinished | None = None
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
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy)
        buttons.addWidget(self.save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        layout.addLayout(buttons)
        self.copy.clicked.connect(self.copy_all)
        self.save.clicked.connect(self.ask_and_save)
        self.hide()

    def show_result(
        self, finished: MeasuringFinished, rows: Sequence[Row], background: str
    ) -> None:
        """Show what was measured.

        Parameters
        ----------
        rows : of `rows_of`
        background : of the theme, "#rrggbb"
        """
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
            for column, text in enumerate(line.cells):
                item = QTableWidgetItem(text)
                if not line.heading and not column:
                    item.setToolTip(text.strip())  # long names are cut off
                if column:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                if column == grid.gap and line.good is not None:
                    colour = readable(GOOD if line.good else BAD, background, 4.5)
                    item.setForeground(QColor(colour))
                    item.setToolTip(line.tip)
                table.setItem(row, column, item)
            if line.heading:
                table.setSpan(row, 0, 1, len(grid.head))
                first = table.item(row, 0)
                if first is not None:
                    font = first.font()
                    font.setBold(True)
                    first.setFont(font)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        table.resizeColumnToContents(0)
        letter = table.fontMetrics().averageCharWidth()
        table.setColumnWidth(0, min(max(table.columnWidth(0), 16 * letter), 24 * letter))
        letters = table.fontMetrics()
        height = letters.height() + 6
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

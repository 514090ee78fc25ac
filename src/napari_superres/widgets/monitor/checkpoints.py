"""The checkpoints of a run as rows of a list, read in a thread, and "Use this one"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QIcon, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_superres.errors import SuperResError
from napari_superres.events import CheckpointSaved, Measurement, RolledBack
from napari_superres.widgets.jobs.threads import Latest, Outcome
from napari_superres.widgets.parts.layout import Note, row_of
from napari_superres.widgets.parts.timers import single_shot
from napari_superres.widgets.run.session import Session
from napari_superres.words import mean_errors

COLUMNS = ("Step", "Time", "Score", "Fractions", "Areas", "Low-res")
COLUMN_TIPS = (
    "Steps done",
    "Time trained, h:mm:ss",
    "Lower is better: errors of fractions, interface areas and low-res in units of a good result",
    "Mean absolute difference of the volume fractions from the high-res slices",
    "Mean relative difference of the interface areas from the high-res slices",
    "Share of low-res voxels that the down-sampled result does not give back",
)

LEFT = "left by a roll-back"
"""Mark of a chosen checkpoint that a roll-back went behind."""
SIGNS = {"best": "★", LEFT: "↶"}
EMPTY = "Checkpoints appear here as they are saved."
PICTURE = QSize(84, 27)
DELAY_MS = 300
"""From an event to reading the folder: several may come at once."""
NAME = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class CheckpointRow:
    """One checkpoint.

    Attributes
    ----------
    step, folder : of the checkpoint
    name : of the checkpoint, by default its step
    cells : one text for each of `COLUMNS`
    marks : "best", "last", both or neither, or "left by a roll-back"
    picture : PNG bytes of its thumbnail, or None
    """

    step: int
    folder: Path
    cells: tuple[str, ...]
    marks: tuple[str, ...] = ()
    picture: bytes | None = None
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or str(self.step))

    @property
    def tip(self) -> str:
        """The text of its tooltip."""
        marked = f" ({', '.join(self.marks)})" if self.marks else ""
        return f"Step {self.step:,}{marked}: {self.folder}"


def read_rows(run: Path, target: Measurement | None) -> list[CheckpointRow]:
    """Return the checkpoints of a run folder, latest first. Imports torch: call it in a thread."""
    from napari_superres.runs.checkpoints import list_checkpoints, list_left

    found = list_checkpoints(run / "checkpoints")
    rows = []
    for info in (*found, *list_left(run / "checkpoints")):
        marks = ("best",) * info.is_best + ("last",) * (info in found[-1:])
        marks += (LEFT,) * info.is_left
        cells = cells_of(info.step, info.state, target)
        picture = _picture(info.thumbnail)
        rows.append(CheckpointRow(info.step, info.folder, cells, marks, picture, info.name))
    return sorted(rows, key=lambda row: (-row.step, row.name))


def cells_of(step: int, state: Mapping[str, Any], target: Measurement | None) -> tuple[str, ...]:
    """Return the texts of a row from a checkpoint's state.json."""
    numbers = state.get("measurement") or {}
    errors = None
    if target is not None and numbers.get("volume_fractions"):
        areas = numbers.get("interface_areas") or {}
        errors = mean_errors(Measurement(numbers["volume_fractions"], areas), target)
    trained = state.get("elapsed_s")
    return (
        f"{step:,}",
        str(timedelta(seconds=round(trained))) if isinstance(trained, int | float) else "–",
        _number(numbers.get("score"), ".2f"),
        _number(errors and errors[0], ".3f"),
        _number(errors and errors[1], ".0%"),
        _number(numbers.get("low_res_mismatch"), ".1%"),
    )


def _number(value: Any, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) else "–"


def _picture(file: Path | None) -> bytes | None:
    try:
        return None if file is None else file.read_bytes()
    except OSError:  # deleted for a newer one meanwhile
        return None


class CheckpointList(QWidget):
    """A row for each checkpoint, latest first; the chosen one is handed to step 4, Generate."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.rows: list[CheckpointRow] = []
        self._folder: Path | None = None
        self._work = Latest(self)
        self._work.done.connect(self._on_read)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Checkpoints")
        self.tree.setHeaderLabels(["", *COLUMNS])
        for column, tip in enumerate(COLUMN_TIPS, 1):
            self.tree.headerItem().setToolTip(column, tip)
        self.tree.setRootIsDecorated(False)
        self.tree.setIconSize(PICTURE)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.note = Note(EMPTY)
        self.use = QPushButton("Use this one")
        self.use.setToolTip(
            "Generate from this checkpoint in step 4; training on will not drop it for newer ones"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.tree, 1)
        layout.addWidget(row_of(self.note, self.use, stretch=(1, 0)))
        self._timer = single_shot(self, self._read, DELAY_MS)
        self.use.clicked.connect(self.use_chosen)
        self.tree.itemActivated.connect(self.use_chosen)
        self.tree.itemSelectionChanged.connect(self._on_selection)
        session.fusion.run_changed.connect(self._on_run)
        session.fusion.runner.event.connect(self._on_event)
        self._on_selection()
        self._on_run()

    @property
    def chosen(self) -> CheckpointRow | None:
        """The row that is selected."""
        items = self.tree.selectedItems()
        name = items[0].data(0, NAME) if items else None
        return next((row for row in self.rows if row.name == name), None)

    def use_chosen(self, *_item: object) -> None:
        """Keep the selected checkpoint, and hand it to the Generate step."""
        from napari_superres.runs.checkpoints import choose_checkpoint

        row = self.chosen
        if row is None:
            return
        try:
            choose_checkpoint(row.folder)
        except SuperResError as error:
            show_error(str(error))
            self._timer.start()
            return
        self.session.fusion.checkpoint_chosen.emit(row.name)
        show_info(f"Step 4, Generate, now makes volumes from step {row.step:,}.")

    def show_rows(self, rows: list[CheckpointRow]) -> None:
        """Show these checkpoints, keeping the selection."""
        before = self.chosen
        self.rows = rows
        self.tree.clear()
        for row in rows:
            item = _item(row)
            self.tree.addTopLevelItem(item)
            item.setSelected(before is not None and before.name == row.name)
        self.note.setText(note_of(rows))
        self._on_selection()

    def _on_run(self) -> None:
        run = self.session.fusion.run
        folder = run.folder if run is not None else None
        if folder != self._folder:  # another run must not be used with checkpoints of this one
            self._folder = folder
            self._work.forget()
            self.show_rows([])
        self._timer.start()

    def _on_event(self, event: object) -> None:
        if isinstance(event, CheckpointSaved | RolledBack):
            self._timer.start()

    def _read(self) -> None:
        if self._folder is not None:
            self._work.ask(read_rows, self._folder, self.session.fusion.history.target)

    def _on_read(self, outcome: Outcome) -> None:
        self.show_rows([] if outcome.error is not None else outcome.value)
        if outcome.error is not None:
            self.note.setText(str(outcome.error))

    def _on_selection(self) -> None:
        self.use.setEnabled(self.chosen is not None)


def note_of(rows: Sequence[CheckpointRow]) -> str:
    """Return what the signs in the list mean."""
    if not rows:
        return EMPTY
    left = any(LEFT in row.marks for row in rows)
    return "★ the best score." + (" ↶ chosen, then left by a roll-back." if left else "")


def _item(row: CheckpointRow) -> QTreeWidgetItem:
    step, *others = row.cells
    sign = "".join(f" {SIGNS[mark]}" for mark in row.marks if mark in SIGNS)
    item = QTreeWidgetItem(["", step + sign, *others])
    item.setData(0, NAME, row.name)
    if row.picture is not None:
        pixels = QPixmap()
        pixels.loadFromData(row.picture)
        item.setIcon(0, QIcon(pixels))
    for column in range(item.columnCount()):
        item.setToolTip(column, row.tip)
        if column:
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            item.setTextAlignment(column, right)
    return item

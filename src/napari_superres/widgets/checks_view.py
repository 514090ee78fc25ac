"""Verdicts on the chosen inputs, looked up in a thread while the user goes on."""

from __future__ import annotations

from html import escape

from napari.qt.threading import create_worker
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QWidget

from napari_superres.config import Preset, TrainingSettings
from napari_superres.data.checks import InputReport, check_inputs
from napari_superres.errors import SuperResError
from napari_superres.widgets.input_reader import Inputs
from napari_superres.widgets.session import Session

MARKS = {"ok": "✓", "note": "•", "warning": "⚠"}
PATIENCE_MS = 400


def verdict(inputs: Inputs) -> InputReport | SuperResError:
    """Return the report on inputs whose scale factor is known, or why they cannot be used."""
    try:
        settings = TrainingSettings.model_validate(
            {
                "scale_factor": inputs.scale_factor,
                "phase_map": inputs.table.phase_map,
                "anisotropic": inputs.high_res.anisotropic,
                "preset": Preset.QUICK,
            }
        )
        return check_inputs(inputs.low_res, inputs.high_res, settings)
    except SuperResError as error:
        return error


def verdict_text(result: InputReport | SuperResError) -> str:
    """Return the findings as rich text, one a line."""
    if isinstance(result, SuperResError):
        return f"<b>Not usable yet.</b> {escape(str(result))}"
    lines = [f"{MARKS[finding.level]} {escape(finding.text)}" for finding in result.findings]
    return "<br>".join(lines)


class ChecksView(QLabel):
    """The verdicts on the session's inputs."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.setWordWrap(True)
        self._checked: Inputs | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PATIENCE_MS)
        self._timer.timeout.connect(self._check)
        session.inputs_changed.connect(self._on_inputs)

    def _on_inputs(self) -> None:
        self.setText("")
        if self.session.ready:
            self._timer.start()

    def _check(self) -> None:
        inputs = self.session.inputs
        if inputs is None or not self.session.ready:
            return
        self._checked = inputs
        worker = create_worker(verdict, inputs, _start_thread=False, _ignore_errors=True)
        worker.returned.connect(self._show)
        worker.start()

    def _show(self, result: InputReport | SuperResError) -> None:
        if self._checked is self.session.inputs:
            self.setText(verdict_text(result))

"""Verdicts on the chosen inputs, looked up in a thread while the user goes on."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QWidget

from napari_superres.config import Preset, TrainingSettings, validated
from napari_superres.data.checks import InputReport, check_inputs
from napari_superres.widgets.input_reader import Inputs
from napari_superres.widgets.session import Session
from napari_superres.widgets.threads import Outcome, in_thread

MARKS = {"ok": "✓", "note": "•", "warning": "⚠"}
PATIENCE_MS = 400
WAITING = "Sizes, fractions and directions are checked once both inputs are chosen."


def verdict(inputs: Inputs) -> InputReport:
    """Return the report on inputs whose scale factor is known.

    Raises
    ------
    InputError
        They cannot be used; the message says why.
    """
    values = {
        "scale_factor": inputs.scale_factor,
        "phase_map": inputs.table.phase_map,
        "anisotropic": inputs.high_res.anisotropic,
        "preset": Preset.QUICK,
    }
    settings = validated(TrainingSettings, values)
    return check_inputs(inputs.low_res, inputs.high_res, settings)


def verdict_text(outcome: Outcome) -> str:
    """Return the findings, or the error, as rich text, one a line."""
    if outcome.error is not None:
        return f"<b>Not usable yet.</b> {escape(str(outcome.error))}"
    findings = outcome.value.findings
    lines = [f"{MARKS[finding.level]} {escape(finding.text)}" for finding in findings]
    return "<br>".join(lines)


class ChecksView(QLabel):
    """The verdicts on the session's inputs."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.setWordWrap(True)
        self.setText(WAITING)
        self._checked: Inputs | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PATIENCE_MS)
        self._timer.timeout.connect(self._check)
        session.inputs_changed.connect(self._on_inputs)

    def _on_inputs(self) -> None:
        self.setText("…" if self.session.ready else WAITING)
        if self.session.ready:
            self._timer.start()

    def _check(self) -> None:
        inputs = self.session.inputs
        if inputs is None or not self.session.ready:
            return
        self._checked = inputs
        in_thread(verdict, self._show, inputs)

    def _show(self, outcome: Outcome) -> None:
        if self._checked is self.session.inputs:
            self.setText(verdict_text(outcome))

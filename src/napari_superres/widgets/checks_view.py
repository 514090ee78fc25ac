"""Verdicts on the chosen inputs, looked up in a thread while the user goes on."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QTimer

from napari_superres.config import EngineSettings, Preset, TrainingSettings, validated
from napari_superres.data.checks import InputReport, check_inputs
from napari_superres.widgets.input_reader import Inputs
from napari_superres.widgets.latest import Latest
from napari_superres.widgets.session import Session
from napari_superres.widgets.step import Note
from napari_superres.widgets.theme import theme_colours
from napari_superres.widgets.threads import Outcome
from napari_superres.widgets.verdicts import error_html, verdict_html

PATIENCE_MS = 400
WAITING = "Sizes, fractions and directions are checked once both inputs are chosen."
CHECKING = "Checking …"


def verdict(inputs: Inputs, engine: EngineSettings | None = None) -> InputReport:
    """Return the report on inputs whose scale factor is known.

    Parameters
    ----------
    engine : to train with; None for those of the quick preset

    Raises
    ------
    InputError
        They cannot be used; the message says why.
    """
    values: dict[str, Any] = {
        "scale_factor": inputs.scale_factor,
        "phase_map": inputs.table.phase_map,
        "anisotropic": inputs.high_res.anisotropic,
        "preset": Preset.QUICK,
    }
    if engine is not None:
        values["engine"] = engine
    settings = validated(TrainingSettings, values)
    return check_inputs(inputs.low_res, inputs.high_res, settings)


class ChecksView(Note):
    """The verdicts on the session's inputs."""

    def __init__(self, session: Session, viewer: Any) -> None:
        super().__init__(WAITING)
        self.session, self.viewer = session, viewer
        self._outcome: Outcome | None = None
        self._work = Latest(self)
        self._work.done.connect(self._show)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PATIENCE_MS)
        self._timer.timeout.connect(self._check)
        session.inputs_changed.connect(self._on_inputs)
        session.wanted_changed.connect(self._on_wanted)
        viewer.events.theme.connect(self._draw)

    def _on_inputs(self) -> None:
        self._work.forget()
        self._outcome = None
        self.setText(CHECKING if self.session.ready else WAITING)
        if self.session.ready:
            self._timer.start()
        else:
            self._timer.stop()

    def _on_wanted(self) -> None:
        if self.session.ready:  # a smaller crop may fit where a larger one does not
            self._timer.start()

    def _check(self) -> None:
        if self.session.inputs is not None and self.session.ready:
            self._work.ask(verdict, self.session.inputs, self.session.wanted)

    def _show(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._draw()

    def _draw(self, _event: object = None) -> None:
        if self._outcome is None:
            return
        theme = theme_colours(self.viewer)
        if self._outcome.error is not None:
            self.setText(error_html(self._outcome.error, theme))
        else:
            self.setText(verdict_html(self._outcome.value.findings, theme))

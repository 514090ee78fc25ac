"""Verdicts on the chosen inputs: computed in a thread, shown as rich text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from napari_superres.config import EngineSettings, Preset, TrainingSettings, validated
from napari_superres.data.checks.findings import Finding
from napari_superres.data.checks.inputs import InputReport, check_inputs
from napari_superres.widgets.inputs.inputs import Inputs
from napari_superres.widgets.jobs.threads import Latest, Outcome
from napari_superres.widgets.layers.colours import ThemeColours, readable, theme_colours
from napari_superres.widgets.parts.layout import Note
from napari_superres.widgets.parts.timers import single_shot
from napari_superres.widgets.run.session import Session

DELAY_MS = 400
"""From a change to its check, for a person who is not done yet."""
WAITING = "Sizes, fractions and directions are checked once both inputs are chosen."
CHECKING = "Checking …"
MARKS = {"ok": "✓", "note": "•", "warning": "⚠", "error": "✗"}
COLOURS = {"ok": "#1f9d5c", "note": "#8c8c8c", "warning": "#d9822b", "error": "#d1495b"}
ORDER = ("error", "warning", "ok", "note")


class ChecksView(Note):
    """The verdicts on the session's inputs."""

    def __init__(self, session: Session, viewer: Any) -> None:
        super().__init__(WAITING)
        self.session, self.viewer = session, viewer
        self._outcome: Outcome | None = None
        self._work = Latest(self)
        self._work.done.connect(self._show)
        self._timer = single_shot(self, self._check, DELAY_MS)
        session.fusion.inputs_changed.connect(self._on_inputs)
        session.fusion.wanted_changed.connect(self._on_wanted)
        viewer.events.theme.connect(self._draw)

    def _on_inputs(self) -> None:
        self._work.forget()
        self._outcome = None
        self.setText(CHECKING if self.session.fusion.ready else WAITING)
        if self.session.fusion.ready:
            self._timer.start()
        else:
            self._timer.stop()

    def _on_wanted(self) -> None:
        if self.session.fusion.ready:  # a smaller crop may fit where a larger one does not
            self._timer.start()

    def _check(self) -> None:
        if self.session.fusion.ready:
            self._work.ask(verdict, self.session.fusion.inputs, self.session.fusion.wanted)

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


def verdict(inputs: Inputs, engine: EngineSettings | None = None) -> InputReport:
    """Return the report on inputs whose scale factor is known, by default for the quick preset."""
    values = {**inputs.values, "preset": Preset.QUICK}
    if engine is not None:
        values["engine"] = engine
    settings = validated(TrainingSettings, values)
    return check_inputs(inputs.pair, settings)


def verdict_line(findings: Sequence[Finding]) -> tuple[str, str]:
    """Return the worst level, and what it means for the training."""
    warnings = sum(finding.level == "warning" for finding in findings)
    if warnings:
        these = "One thing" if warnings == 1 else f"{warnings} things"
        return "warning", f"Can be trained. {these} to look at first."
    return "ok", "Ready to train."


def verdict_html(findings: Sequence[Finding], theme: ThemeColours) -> str:
    """Return all findings, those to act on first, a row each with its mark and topic."""
    level, line = verdict_line(findings)
    ranked = sorted(findings, key=lambda finding: ORDER.index(finding.level))
    rows, before = [], ""
    for finding in ranked:
        topic = "" if finding.topic == before else escape(finding.topic)
        before = finding.topic
        rows.append(
            f'<tr><td style="padding-right:6px">{_mark(finding.level, theme)}</td>'
            f'<td style="padding-bottom:4px"><b>{topic}</b>{"<br>" if topic else ""}'
            f"{escape(finding.text)}</td></tr>"
        )
    return f"<p><b>{_mark(level, theme)} {line}</b></p><table>{''.join(rows)}</table>"


def error_html(error: Exception, theme: ThemeColours) -> str:
    """Return why the inputs cannot be used."""
    return f"<p><b>{_mark('error', theme)} Not usable yet.</b> {escape(str(error))}</p>"


def _mark(level: str, theme: ThemeColours) -> str:
    colour = readable(COLOURS[level], theme.background, 3.0)
    return f'<span style="color:{colour}">{MARKS[level]}</span>'

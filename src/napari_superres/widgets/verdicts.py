"""The verdicts of the checks as rich text: one line that decides, then a row a topic; no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from napari_superres.data.findings import Finding
from napari_superres.widgets.colours import readable
from napari_superres.widgets.theme import ThemeColours

MARKS = {"ok": "✓", "note": "•", "warning": "⚠", "error": "✗"}
COLOURS = {"ok": "#1f9d5c", "note": "#8c8c8c", "warning": "#d9822b", "error": "#d1495b"}
ORDER = ("error", "warning", "ok", "note")


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

"""A page that needs nothing but itself: HTML pieces, images and charts within, light and dark."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import NDArray

from napari_superres.measures.report.charts import ink

INK = "#010203"
"""Stands for the page's own text colour in charts."""

STYLE = """
:root { color-scheme: light dark; --back: #ffffff; --ink: #1c2126; --soft: #5c6670;
  --line: #d8dde2; --card: #f4f6f8; --good: #1f7a4d; --bad: #b3541e; }
@media (prefers-color-scheme: dark) { :root { --back: #15181c; --ink: #e4e8ec; --soft: #9aa4ae;
  --line: #333a41; --card: #1e2328; --good: #5fc08f; --bad: #eb9d62; } }
@media print { :root { color-scheme: light; --back: #ffffff; --ink: #000000; --soft: #444444;
  --line: #bbbbbb; --card: #ffffff; --good: #1f7a4d; --bad: #b3541e; }
  @page { margin: 14mm; } body { padding: 0 !important; font-size: 10pt !important; }
  figure, tr, p, .card { break-inside: avoid; }
  h2, section > p, tr.group { break-after: avoid; }
  .cards { grid-template-columns: repeat(3, 1fr) !important; }
  h2 { margin-top: 1.2rem !important; } .scroll { overflow: visible !important; }
  table { font-size: 7.5pt !important; } th, td { padding: .12rem .3rem !important; }
  figure.chart svg { max-height: 210mm; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 2rem 1.5rem 4rem; background: var(--back);
  color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .4rem; }
p, figcaption { color: var(--soft); margin: .2rem 0 .8rem; max-width: 52rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: .8rem;
  margin: 1.2rem 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .7rem .9rem; }
.card b { display: block; font-size: 1.5rem; font-weight: 600; }
.card span { color: var(--soft); font-size: .85rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
.scroll { overflow-x: auto; } .scroll + .scroll { margin-top: 1.6rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums;
  font-size: .88rem; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { font-weight: 600; } tr.group th { text-align: left; padding-top: .9rem; }
.slices { display: grid; grid-template-columns: repeat(4, 1fr); gap: .6rem; margin: .6rem 0; }
.slices figure { margin: 0; } .slices figcaption { margin: 0; font-size: .82rem; }
.slices img { width: 100%; display: block; image-rendering: pixelated;
  border: 1px solid var(--line); }
.legend { display: flex; flex-wrap: wrap; gap: 1.2rem; margin: .5rem 0; }
.legend i { display: inline-block; width: 1rem; height: 1rem; border: 1px solid var(--soft);
  vertical-align: -.15rem; margin-right: .4rem; }
figure.chart { margin: .8rem 0; } figure.chart svg { width: 100%; height: auto; max-width: 62rem; }
svg text { font-family: inherit !important; }
"""


def page(title: str, body: Sequence[str]) -> str:
    """Return a whole document that asks for nothing from outside."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def section(title: str, text: str, *parts: str) -> str:
    """Return a titled part of the page; `text` explains it."""
    return (
        f"<section>\n<h2>{escape(title)}</h2>\n<p>{text}</p>\n" + "\n".join(parts) + "\n</section>"
    )


def card(value: str, text: str, good: bool | None) -> str:
    """Return one number with what it means, marked as within tolerance or not."""
    mark = "" if good is None else ' class="good"' if good else ' class="bad"'
    return f'<div class="card"><b{mark}>{escape(value)}</b><span>{escape(text)}</span></div>'


def table(head: Sequence[str], rows: Sequence[str]) -> str:
    """Return a table of rows made by `row` and `group`."""
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    return (
        f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>\n'
        + "\n".join(rows)
        + "\n</tbody></table></div>"
    )


def row(cells: Sequence[str]) -> str:
    """Return a row of cells that are HTML already."""
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def group(title: str, columns: int) -> str:
    """Return a row that opens a group of rows."""
    return f'<tr class="group"><th colspan="{columns}">{escape(title)}</th></tr>'


def image(pixels: NDArray[np.float64], caption: str) -> str:
    """Return an (rows, columns, 4) image, 0 to 1, with a caption."""
    buffer = io.BytesIO()
    imsave(buffer, pixels, format="png")
    data = base64.b64encode(buffer.getvalue()).decode()
    text = escape(caption)
    return (
        f'<figure><figcaption>{text}</figcaption><img alt="{text}" '
        f'src="data:image/png;base64,{data}"></figure>'
    )


def chart(figure: Figure, name: str, caption: str, folder: Path | None = None) -> str:
    """Return a figure as SVG in the page's own colours; also write it to `folder`, if given."""
    if folder is not None:
        with matplotlib.rc_context({"svg.fonttype": "none"}):
            for suffix in ("png", "svg"):
                figure.savefig(folder / f"{name}.{suffix}", dpi=150, facecolor="white")
    ink(figure, INK)
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    drawing = text[text.index("<svg") :].replace(INK, "currentColor")
    return f'<figure class="chart">{drawing}<figcaption>{caption}</figcaption></figure>'

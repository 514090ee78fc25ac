import pytest

from napari_superres.data.checks.findings import Finding
from napari_superres.errors import ShapeError
from napari_superres.widgets.data.checks import COLOURS, error_html, verdict_html, verdict_line
from napari_superres.widgets.data.pickers import drawing, missing_text, plane_text
from napari_superres.widgets.layers.colours import ThemeColours, contrast

DARK = ThemeColours("#262930", "#414851", "#f0f1f2")
LIGHT = ThemeColours("#efebe9", "#d6d0ce", "#3b3a39")
FOUND = (
    Finding("ok", "Fine.", "Fractions"),
    Finding("warning", "Few & small.", "Amount"),
    Finding("note", "64 voxels.", "Result"),
)


def test_the_first_line_decides():
    assert verdict_line(FOUND[:1]) == ("ok", "Ready to train.")
    assert verdict_line(FOUND) == ("warning", "Can be trained. One thing to look at first.")


def test_what_to_act_on_comes_first_and_is_escaped():
    html = verdict_html(FOUND, DARK)
    assert html.index("Few &amp; small.") < html.index("Fine.") < html.index("64 voxels.")


def test_an_error_says_that_nothing_can_be_trained():
    assert "Not usable yet." in error_html(ShapeError("Too <small>."), DARK)
    assert "&lt;small&gt;" in error_html(ShapeError("Too <small>."), DARK)


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_marks_can_be_read_in_both_themes(theme):
    html = verdict_html(FOUND, theme) + error_html(ShapeError("x"), theme)
    shown = {part[:7] for part in html.split("color:")[1:]}
    assert len(shown) == len(COLOURS)
    assert min(contrast(colour, theme.background) for colour in shown) >= 3


@pytest.mark.parametrize(
    ("axis", "text"), [(0, "y down, x right"), (1, "z down, x right"), (2, "z down, y right")]
)
def test_rows_go_down_and_columns_to_the_right(axis, text):
    assert text in plane_text(axis)


def test_the_drawn_plane_lies_across_its_axis():
    right, _down = zip(*drawing(0).plane, strict=True)
    assert (min(right), max(right)) == (0.21, 1.21)
    assert len({round(x, 6) for x, _ in drawing(2).plane}) == 2
    assert len(drawing(1).edges) == 12


def test_missing_axes_are_named():
    assert missing_text([None, "layer", None]) == "Choose a layer for z and x."
    assert missing_text(["a", "a", "a"]) == ""

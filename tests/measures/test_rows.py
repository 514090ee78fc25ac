import csv
import io

import numpy as np
import pytest
from matplotlib.text import Text

from napari_superres.data.phases import Phase
from napari_superres.measures.report.charts import bars, ink
from napari_superres.measures.rows import as_csv, gap_text, number, rows_of
from napari_superres.measures.summary import measure_labels
from tests.measures.materials import bernoulli, lamellae

PHASES = (Phase(0, "pore"), Phase(1, "solid"))


def summary(labels, measures=("volume_fractions", "interface_areas"), phases=PHASES, **more):
    return measure_labels(labels, phases, measures=measures, **more)


def by_entry(rows, measure):
    return {(row.entry, row.axis): row for row in rows if row.measure == measure}


def test_each_number_stands_beside_its_reference():
    found, wanted = lamellae((8, 8, 8), 2, 0), lamellae((8, 8, 8), 4, 0)
    rows = by_entry(rows_of([summary(found)], summary(wanted)), "interface_areas")
    row = rows["pore|solid", ""]
    assert row.gap == pytest.approx(2.0)
    assert row.good is False
    assert gap_text(row) == "+200.0% ✗"


def test_fractions_are_judged_by_difference_and_slices_by_their_own_interval():
    volume = summary(bernoulli((8, 8, 8), (0.45, 0.55)))
    exact = by_entry(rows_of([volume], summary(lamellae((8, 8, 8), 4, 0))), "volume_fractions")
    assert exact["pore", ""].good is False
    slices = summary(lamellae((8, 8), 4, 0), ("volume_fractions", "representativity"))
    loose = by_entry(rows_of([volume], slices), "volume_fractions")
    assert loose["pore", ""].tolerance > 0.02
    assert loose["pore", ""].good is True


def test_several_volumes_have_a_mean_and_a_spread():
    found = [summary(np.full((4, 4, 4), phase, np.uint8)) for phase in (0, 1, 1)]
    row = by_entry(rows_of(found), "volume_fractions")["solid", ""]
    assert row.mean == pytest.approx(2 / 3)
    assert row.sd == pytest.approx(np.std([0, 1, 1], ddof=1))
    assert row.gap is row.good is None


def test_numbers_in_another_unit_do_not_join_the_mean():
    labels, area = lamellae((8, 8, 8), 2, 0), ("volume_fractions", "specific_surface_area")
    sized, unsized = (summary(labels, area, voxel_size=size) for size in ([0.1] * 3, None))
    rows = rows_of([sized, unsized])
    surface = by_entry(rows, "specific_surface_area")["pore", ""]
    assert surface.values == (sized["specific_surface_area"]["pore"], None)
    assert None not in by_entry(rows, "volume_fractions")["pore", ""].values


def test_the_axes_of_a_slice_are_not_those_of_a_volume():
    volume = summary(bernoulli((8, 8, 8), (0.5, 0.5)), ("mean_chord_length",))
    plane = summary(bernoulli((8, 8), (0.5, 0.5)), ("mean_chord_length",))
    assert all(row.reference is None for row in rows_of([volume], plane))
    assert any(row.reference is not None for row in rows_of([volume], volume))


def test_phases_are_matched_by_value():
    renamed = (Phase(0, "void"), Phase(1, "metal"))
    labels = lamellae((8, 8, 8), 4, 0)
    rows = rows_of([summary(labels)], summary(labels, phases=renamed))
    assert {row.entry for row in rows} == {"pore", "solid", "pore|solid"}
    assert all(row.gap == 0 for row in rows)


def test_an_absent_phase_has_nothing_where_zero_would_be_wrong():
    rows = rows_of([summary(np.zeros((4, 4, 4), np.uint8), ("mean_chord_length",))])
    solid = by_entry(rows, "mean_chord_length")["solid", "z"]
    assert solid.values == (None,)
    assert solid.mean is None
    assert number(solid.mean) == gap_text(solid) == "–"


def test_text_for_a_spreadsheet_keeps_all_digits():
    labels = bernoulli((5, 5, 5), (0.3, 0.7))
    rows = rows_of([summary(labels)] * 2, summary(labels))
    table = list(csv.DictReader(io.StringIO(as_csv(rows, ["a", "b"], "truth"))))
    assert float(table[0]["a"]) == float(table[0]["mean"]) == rows[0].values[0]
    assert table[0]["within"] == "yes"
    tabbed = as_csv(rows, ["a", "b"], "truth", "\t")
    assert tabbed.splitlines()[0].split("\t")[:4] == ["measure", "unit", "entry", "axis"]


@pytest.mark.parametrize("reference", [None, "truth"])
def test_bars_show_a_panel_for_each_measure(reference):
    one = summary(bernoulli((5, 5, 5), (0.3, 0.7)))
    rows = rows_of([one, one], one if reference else None)
    figure = bars(rows, ["a", "b"], reference)
    assert [axes.get_title() for axes in figure.axes] == list({r.title: 0 for r in rows})
    assert [len(axes.patches) for axes in figure.axes] == [2, 1]


def test_titles_of_bars_fit_beside_long_names_of_phases():
    phases = (Phase(0, "pore"), Phase(1, "active material"), Phase(2, "binder and carbon"))
    labels = bernoulli((5, 5, 5), (0.3, 0.4, 0.3))
    figure = bars(rows_of([summary(labels, ("triple_phase_boundary",), phases)]), ["a"], width=3.4)
    figure.draw_without_rendering()
    width = figure.bbox.width
    for axes in figure.axes:
        extent = axes.title.get_window_extent()
        assert extent.x0 >= 0
        assert extent.x1 <= width


def test_in_a_dark_panel_all_words_of_the_bars_are_light():
    one = summary(bernoulli((5, 5, 5), (0.3, 0.7)))
    figure = bars(rows_of([one], one), ["a"], "truth")
    ink(figure, "white")
    words = [text for text in figure.findobj(Text) if text.get_text()]
    assert {"a", "truth", "pore"} <= {text.get_text() for text in words}
    assert {text.get_color() for text in words} == {"white"}

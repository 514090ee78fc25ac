"""What the Measure step decides, without a window."""

import json
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image, Labels, Shapes

from napari_superres.data.boxes import Box
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import OutputError, SettingsError, ShapeError
from napari_superres.events import FinishReason
from napari_superres.measures.measuring import Subject, measure_subjects
from napari_superres.measures.report import numbers as report_numbers
from napari_superres.measures.rows import rows_of
from napari_superres.measures.summary import MEASURES
from napari_superres.widgets.layers.box_drawing import vertices_on
from napari_superres.widgets.layers.notes import HIGH_RES, SUPER_RES, TRUTH
from napari_superres.widgets.layers.placement import placement_of
from napari_superres.widgets.layers.shown import phase_layer
from napari_superres.widgets.layers.view import read_view, view_of
from napari_superres.widgets.measure import words as text
from napari_superres.widgets.measure.plan import (
    GROUPS,
    box_in_layer,
    can_be_measured,
    chosen_measures,
    default_reference,
    default_subjects,
    ticked_layers,
)
from napari_superres.widgets.measure.report import ReportPlan, report_events
from napari_superres.widgets.parts.paths import with_kind
from tests.fakes import PHASES

RANDOM = np.random.default_rng(0).integers(0, 3, (12, 13, 14)).astype(np.uint8)
TURNED = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])


def layer(labels=RANDOM, role=SUPER_RES, name="made", **more):
    data, arguments, _ = phase_layer(labels, PHASES, name, role, **more)
    return Labels(data, **arguments)


def finished(*volumes, reference=None, measures=("volume_fractions", "interface_areas")):
    subjects = [
        Subject(f"seed {number}", lambda volume=volume: SegmentedVolume(volume, PHASES))
        for number, volume in enumerate(volumes)
    ]
    wanted = None if reference is None else Subject("slices", lambda: reference)
    *_, last = measure_subjects(subjects, wanted, measures, threading.Event())
    return last.result, rows_of(last.result.found, last.result.reference)


def test_every_measure_can_be_chosen_once():
    offered = [name for group in GROUPS for name in group.measures]
    assert sorted(offered) == sorted(set(MEASURES) - {"representativity"})


def test_maps_and_colours_are_not_offered():
    map_layer = Image(RANDOM, metadata={"napari-superres": {"map": "agreement", "role": ""}})
    colours = Image(np.zeros((8, 8, 3), np.uint8), rgb=True)
    offered = [can_be_measured(one) for one in (layer(), Image(RANDOM), map_layer, colours)]
    assert offered == [True, True, False, False]


def test_without_a_tick_there_is_nothing_to_measure():
    with pytest.raises(SettingsError, match="No measure"):
        chosen_measures([False] * len(GROUPS))


def test_a_view_reads_like_its_layer_and_a_box_is_a_part_of_it():
    box = Box((1, 2, 3), (6, 7, 8))
    volume = read_view(view_of(layer(scale=(0.2,) * 3, units=("um",) * 3), box))
    np.testing.assert_array_equal(volume.labels, RANDOM[box.slices()])
    assert volume.voxel_size == pytest.approx((0.2, 0.2, 0.2))
    assert volume.phases == PHASES


@pytest.mark.parametrize("made", [layer(RANDOM[0]), layer(role=HIGH_RES), Image(RANDOM[0])])
def test_planes_and_high_res_stacks_are_slices(made):
    assert isinstance(read_view(view_of(made)), SegmentedSlices)


def test_realisations_are_measured_and_the_truth_is_the_reference():
    made, other, truth = layer(), layer(name="two"), layer(role=TRUTH)
    plain = Image(RANDOM, name="plain")
    assert default_subjects([plain, made, other, truth]) == [made, other]
    assert default_subjects([plain]) == [plain]
    assert default_reference([plain, truth]) is truth
    assert default_reference([plain]) is None


def test_a_new_realisation_is_ticked_and_a_choice_by_hand_stays():
    one, two, plain = layer(), layer(name="two"), Image(RANDOM, name="plain")
    assert ticked_layers([one], [one], [one, two]) == [one, two]
    assert ticked_layers([one, plain], [plain], [one, plain, two]) == [plain, two]
    assert ticked_layers([one, plain], [plain], [one]) == [one]


def test_a_rectangle_becomes_a_box_over_the_whole_depth():
    made = layer(scale=(0.5,) * 3, translate=(10, 20, 30), units=("um",) * 3)
    corners = [(10, 21, 31), (10, 21, 33), (10, 23, 33), (10, 23, 31)]
    shapes = Shapes([np.array(corners, float)])
    box = box_in_layer(vertices_on(made, shapes), RANDOM.shape, [1, 2])
    assert box == Box((0, 2, 2), (12, 7, 7))


def test_a_rectangle_beside_the_layer_is_refused():
    corners = [(0, 100, 100), (0, 110, 110)]
    with pytest.raises(ShapeError, match="outside"):
        box_in_layer(corners, RANDOM.shape, [1, 2])


@pytest.mark.parametrize("start", [(0, 0, 0), (1, 1, 1), (3, 0, 2)])
@pytest.mark.parametrize("turn", [{}, {"rotate": TURNED}, {"scale": (0.4, -0.4, 0.4)}])
def test_where_a_realisation_starts_follows_from_where_the_layers_lie(start, turn):
    factor = (Fraction(4), Fraction(8, 5), Fraction(2))
    low = placement_of(layer(**{"scale": (0.4,) * 3, "translate": (5, 6, 7), **turn}))
    made = low.super_res(factor, start)
    assert low.start_of(made["translate"], factor) == start


def test_the_table_shows_values_reference_and_gap_under_a_heading():
    last, rows = finished(RANDOM, reference=SegmentedVolume(RANDOM, PHASES))
    grid = text.grid_of(rows, ["seed 0"], "slices")
    assert grid.head == ["", "seed 0", "slices", "difference"]
    assert grid.lines[0].heading
    assert grid.lines[1].cells[0].strip() == "pore"
    assert grid.lines[1].cells[grid.gap] == "+0.0000 ✓"
    assert "± 0.02" in grid.lines[1].tip
    assert "all" not in text.finished_line(last, rows)
    assert "of slices" in text.finished_line(last, rows)


def test_several_realisations_show_mean_and_spread_first():
    last, rows = finished(RANDOM, RANDOM[::-1], np.zeros_like(RANDOM))
    grid = text.grid_of(rows, [one["name"] for one in last.found], None)
    assert grid.head == ["", "mean", "± s.d.", "seed 0", "seed 1", "seed 2"]
    assert len({len(line.cells) for line in grid.lines if not line.heading}) == 1
    assert text.finished_line(last, rows) == "Measured 3 volumes."


def test_tables_are_written_by_their_suffix(tmp_path):
    last, rows = finished(RANDOM, reference=SegmentedVolume(RANDOM[:6], PHASES))
    assert text.write_table(tmp_path / "plain", last, rows).name == "plain.csv"
    numbers = json.loads(text.write_table(tmp_path / "n.json", last, rows).read_text())
    assert numbers["found"][0]["volume_fractions"] == last.found[0]["volume_fractions"]
    assert numbers["against"]["name"] == "slices"
    with pytest.raises(OutputError):
        text.write_table(tmp_path / "absent" / "n.csv", last, rows)


def test_the_kind_chosen_in_a_dialog_counts_where_the_name_has_no_ending():
    assert with_kind(Path("bars"), "SVG (*.svg)") == Path("bars.svg")
    assert with_kind(Path("bars.png"), "SVG (*.svg)") == Path("bars.png")
    assert with_kind(Path("bars"), "") == Path("bars")


def test_every_chart_that_is_offered_can_be_drawn_and_saved(tmp_path):
    slices = SegmentedSlices(((RANDOM[0],),), PHASES)
    last, rows = finished(RANDOM, RANDOM[::-1], reference=slices, measures=MEASURES)
    offered = text.charts_of(last, rows)
    assert list(offered) == ["bars", "intra", "inter", "chords", "fourier"]
    for key in offered:
        figure = text.draw_chart(key, last, rows)
        for name in (f"{key}.png", f"{key}.svg", key):
            assert text.save_chart(figure, tmp_path / name).stat().st_size > 1000


def test_a_report_is_measured_and_written_and_can_be_stopped(tmp_path, monkeypatch):
    small = report_numbers.ReportOptions(count=2, side=8)
    monkeypatch.setattr(report_numbers, "ReportOptions", lambda **_asked: small)
    plan = ReportPlan((view_of(layer()),), None, None, None, None, figures=False)
    *_, last = report_events(plan, tmp_path / "r.html", threading.Event())
    assert last.reason is FinishReason.COMPLETED
    assert [path.name for path in last.result] == ["r.html", "r.json"]
    stop = threading.Event()
    stop.set()
    (last,) = report_events(plan, tmp_path / "s.html", stop)
    assert last.reason is FinishReason.STOPPED
    assert not (tmp_path / "s.html").exists()

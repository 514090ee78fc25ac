import numpy as np
import pytest

from napari_superres.data import phases as phases_module
from napari_superres.widgets.data.phase_table import NAME, PhaseTableView
from napari_superres.widgets.inputs.phases import guess_phase_map, make_table, shares
from tests.memory import peak_bytes


def test_the_fractions_of_a_volume_are_counted_in_little_memory(monkeypatch):
    monkeypatch.setattr(phases_module, "COUNTED_AT_ONCE", 2**10)
    volume = np.zeros((64, 64, 64), np.uint8)
    volume[:16] = 2
    assert peak_bytes(lambda: shares([volume], 3)) < volume.size
    assert shares([volume, volume], 3) == pytest.approx([0.75, 0, 0.25])


def test_equal_values_belong_together_and_binder_goes_where_the_fractions_fit():
    guessed = guess_phase_map({0: 0.37, 1: 0.48, 2: 0.15}, {0: 0.52, 1: 0.48})
    assert guessed == {0: 0, 1: 1, 2: 0}


def test_other_label_values_are_paired_in_order():
    guessed = guess_phase_map({0: 0.1, 1: 0.67, 2: 0.23}, {0: 0.6, 128: 0.4})
    assert guessed == {0: 0, 1: 128, 2: 0}


def test_every_low_res_phase_is_served_if_it_can_be():
    guessed = guess_phase_map({1: 0.1, 2: 0.5, 3: 0.4}, {0: 0.99, 1: 0.01})
    assert set(guessed.values()) == {0, 1}


def test_too_few_high_res_phases_still_give_a_table(low_res, high_res):
    assert guess_phase_map({0: 1.0}, {0: 0.5, 1: 0.5}) == {0: 0}


def test_edits_survive_new_layers_of_the_same_phases(low_res, high_res):
    edited = make_table(low_res, high_res).changed(2, name="glue", colour="#ffffff", belongs_to=1)
    again = make_table(low_res, high_res, edited)
    assert again.phase_map == {0: 0, 1: 1, 2: 1}
    assert again.phases[2].name == "glue"


def test_edits_are_forgotten_for_other_phases(low_res, high_res):
    from napari_superres.data.volumes import SegmentedSlices

    edited = make_table(low_res, high_res).changed(0, name="void")
    other = SegmentedSlices.from_labels([[[[3, 4], [4, 5]]]])
    assert make_table(low_res, other, edited).rows[0].name == "phase 3"


def test_low_res_phases_take_after_what_belongs_to_them(low_res, high_res):
    table = make_table(low_res, high_res).changed(2, belongs_to=0)
    names = [phase.name for phase in table.low_res_phases(low_res.phases)]
    assert names == ["pore + binder", "active material"]


def test_fractions_of_both_inputs_stand_side_by_side(low_res, high_res):
    rows = make_table(low_res, high_res).fractions_side_by_side()
    assert abs(sum(low for _, low, _ in rows) - 1) < 1e-12
    assert abs(sum(high for _, _, high in rows) - 1) < 1e-12


def test_a_name_that_is_emptied_comes_back(qtbot, low_res, high_res):
    view = PhaseTableView()
    qtbot.addWidget(view)
    view.show_table(make_table(low_res, high_res))
    view.item(0, NAME).setText("  ")
    assert view.item(0, NAME).text() == "pore"
    view.item(0, NAME).setText(" void ")
    assert view.item(0, NAME).text() == "void"
    assert view.table.phases[0].name == "void"

import numpy as np
import pytest

from napari_superres.data.phases import (
    PALETTE,
    Phase,
    phases_from_values,
    resolve_phase_map,
    with_names,
)
from napari_superres.errors import PhaseError

HIGH = phases_from_values([0, 1, 2])
LOW = phases_from_values([0, 128])


def test_phases_are_ordered_by_value_and_coloured_by_index():
    phases = phases_from_values([255, 0, 255, 7])
    assert [phase.value for phase in phases] == [0, 7, 255]
    assert [phase.colour for phase in phases] == list(PALETTE[:3])
    assert phases[1].name == "phase 7"


def test_there_is_a_colour_for_every_phase():
    assert all(phase.colour for phase in phases_from_values(range(32)))


def test_names_can_be_given_and_must_fit():
    assert [phase.name for phase in with_names(LOW, ["pore", "solid"])] == ["pore", "solid"]
    with pytest.raises(ValueError, match="argument 2"):
        with_names(LOW, ["pore"])


@pytest.mark.parametrize("value", [-1, 256])
def test_values_beyond_a_byte_are_refused(value):
    with pytest.raises(PhaseError, match="between 0 and 255"):
        Phase(value)


@pytest.mark.parametrize("colour", ["crimson", "#zzzzzz", "#fff", "#20242cff"])
def test_a_colour_that_is_told_in_another_way_is_none(colour):
    assert Phase(0, "pore", colour).colour == ""
    assert Phase(0, "pore", "#20242C").colour == "#20242C"


def test_the_map_becomes_low_res_indices_of_high_res_indices():
    assert resolve_phase_map({0: 0, 1: 128, 2: 0}, HIGH, LOW).tolist() == [0, 1, 0]


def test_the_resolved_map_is_the_matrix_of_the_imaging_model():
    column = resolve_phase_map({0: 0, 1: 128, 2: 0}, HIGH, LOW)
    matrix = np.eye(2)[:, column]  # M: p_LR = M · p_HR
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({0: 0, 1: 128}, r"says nothing of high-res \(2\)"),
        ({0: 0, 1: 128, 2: 0, 9: 0}, r"names high-res \(9\)"),
        ({0: 0, 1: 1, 2: 0}, r"points to low-res \(1\)"),
        ({0: 0, 1: 0, 2: 0}, r"No high-res phase belongs to low-res \(128\)"),
        ({}, r"says nothing of high-res \(0, 1, 2\)"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_with_the_values(pairs, message):
    with pytest.raises(PhaseError, match=message):
        resolve_phase_map(pairs, HIGH, LOW)


def test_fewer_high_res_than_low_res_phases_are_refused():
    with pytest.raises(PhaseError, match=r"2 phases \(0, 128\).*has 3 \(0, 1, 2\)"):
        resolve_phase_map({0: 0, 128: 1}, LOW, HIGH)

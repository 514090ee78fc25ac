"""What the Compare step decides, without a window."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Labels

from napari_superres.data.phases import Phase
from napari_superres.errors import PhaseError, SettingsError
from napari_superres.events import FinishReason
from napari_superres.widgets.compare.plan import (
    agreement_line,
    map_events,
    side_by_side,
    two_to_blink,
)
from napari_superres.widgets.compare.swipe_array import SwipeArray, places_in, sides_of
from napari_superres.widgets.layers.notes import (
    HIGH_RES,
    LOW_RES,
    SUPER_RES,
    TRUTH,
)
from napari_superres.widgets.layers.shown import phase_layer
from napari_superres.widgets.layers.view import view_of
from tests.fakes import PHASES

FINE = np.random.default_rng(1).integers(0, 3, (8, 8, 8)).astype(np.uint8)
COARSE = (FINE[::4, ::4, ::4] > 0).astype(np.uint8)


def layer(labels=FINE, role=SUPER_RES, phases=PHASES, **more):
    data, arguments, _ = phase_layer(labels, phases, role, role, **more)
    return Labels(data, **arguments)


def low_res():
    return layer(COARSE, LOW_RES, PHASES[:2], scale=(4, 4, 4), translate=(1.5, 1.5, 1.5))


def swipe(first, second):
    sides, _ = sides_of([view_of(one) for one in (first, second)])
    places = [places_in(first, one) for one in (first, second)]
    return SwipeArray(sides, places, first.data.shape)


def test_low_res_realisations_and_truth_stand_in_this_order():
    truth, made, low, slices = layer(role=TRUTH), layer(), low_res(), layer(role=HIGH_RES)
    assert side_by_side([truth, made, slices, low]) == [low, made, truth]
    assert two_to_blink([low, made, truth]) == (made, truth)
    assert two_to_blink([low, made]) == (made, low)
    assert two_to_blink([low]) == (low, None)


def test_a_coarse_volume_is_seen_at_the_place_of_the_fine_voxels():
    places = places_in(layer(), low_res())
    for axis in places:
        np.testing.assert_array_equal(axis, [0, 0, 0, 0, 1, 1, 1, 1])


def test_volumes_that_do_not_overlap_cannot_be_swiped():
    with pytest.raises(SettingsError, match="overlap"):
        places_in(layer(), layer(translate=(100, 0, 0)))


def test_a_swipe_shows_one_volume_before_the_cut_and_the_other_behind():
    array = swipe(layer(), low_res())
    array.axis, array.cut = 2, 3
    shown = np.asarray(array)
    np.testing.assert_array_equal(shown[..., :3], FINE[..., :3] + 1)
    enlarged = np.kron(COARSE, np.ones((4, 4, 4), np.uint8)) + 1
    np.testing.assert_array_equal(shown[..., 3:], enlarged[..., 3:])


@settings(deadline=None)
@given(
    st.tuples(
        *[st.one_of(st.integers(-8, 7), st.slices(8).filter(lambda s: (s.step or 1) > 0))] * 3
    ),
    st.integers(0, 8),
)
def test_any_part_of_a_swipe_is_that_part_of_the_whole(key, cut):
    array = swipe(layer(), layer(FINE[::-1]))
    array.cut = cut
    array.take_whole(np.asarray(array), 2, cut)
    np.testing.assert_array_equal(array[key], np.asarray(array)[key])


def test_a_swipe_tells_that_its_whole_is_missing_and_shows_the_last_one_meanwhile():
    array, told = swipe(layer(), layer(FINE[::-1])), []
    array.missed = lambda: told.append(array.cut)
    assert not array[:].any()
    array.take_whole(array.whole(2, array.cut), 2, array.cut)
    before = array[:]
    assert before.all()
    array.cut = 1
    np.testing.assert_array_equal(array[:], before)
    assert told == [4, 1]


def test_what_one_volume_does_not_cover_is_clear():
    array = swipe(layer(), layer(FINE[:, :4], translate=(0, 2, 0)))
    array.cut = 0
    shown = np.asarray(array)
    assert (shown[:, :2] == 0).all()
    assert (shown[:, 6:] == 0).all()
    np.testing.assert_array_equal(shown[:, 2:6], FINE[:, :4] + 1)


def test_layers_of_the_user_join_by_label_value():
    plain = Labels(np.where(FINE == 1, 7, FINE), name="plain")
    sides, phases = sides_of([view_of(layer()), view_of(plain)])
    assert [phase.value for phase in phases] == [0, 1, 2, 7]
    assert [phase.name for phase in phases[:3]] == [phase.name for phase in PHASES]
    np.testing.assert_array_equal(np.unique(sides[1].table), [0, 1, 3, 4])


def test_maps_tell_where_realisations_agree():
    views = [view_of(layer()), view_of(layer())]
    *_, made = map_events(views, threading.Event())
    assert made.reason is FinishReason.COMPLETED
    assert (made.result.maps.agreement == 100).all()
    assert "agree in 100.0\u00a0% of the voxels" in agreement_line(made.result)


def test_maps_can_be_stopped():
    stop = threading.Event()
    stop.set()
    (made,) = map_events([view_of(layer())] * 2, stop)
    assert made.result is None
    assert made.reason is FinishReason.STOPPED


def test_maps_of_different_materials_are_refused():
    other = (Phase(0, "a"), Phase(1, "b"), Phase(9, "c"))
    views = [view_of(layer()), view_of(layer(phases=other))]
    with pytest.raises(PhaseError, match="different label values"):
        list(map_events(views, threading.Event()))

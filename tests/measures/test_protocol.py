import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from napari_superres.data.phases import phases_from_values
from napari_superres.errors import SettingsError
from napari_superres.measures import protocol
from napari_superres.measures.protocol import (
    PROTOCOL_MEASURES,
    describe_values,
    measure_sub_volumes,
    random_places,
    stack_values,
)
from tests.measures.materials import bernoulli

FAST = ["volume_fractions", "mean_chord_length"]


def measured(volumes, **options):
    options = {"side": 8, "count": 12, "measures": FAST} | options
    return stack_values(list(measure_sub_volumes(volumes, 2, **options)))


def test_the_places_lie_inside_and_are_drawn_from_all_volumes():
    shapes = [(30, 20, 10), (9, 9, 9)]
    places = random_places(shapes, side=9, count=200)
    assert {place.volume for place in places} == {0, 1}
    for place in places:
        for part, size in zip(place.part, shapes[place.volume], strict=True):
            assert part.stop - part.start == 9
            assert 0 <= part.start <= part.stop <= size


def test_every_place_that_fits_is_drawn():
    starts = {place.part[0].start for place in random_places([(6, 4, 4)], side=4, count=100)}
    assert starts == {0, 1, 2}


def test_an_axis_shorter_than_the_side_is_taken_whole():
    (place,) = random_places([(3, 100, 100)], side=10, count=1)
    assert place.part[0] == slice(0, 3)


def test_one_seed_gives_one_answer_whatever_the_threads():
    volume = bernoulli((20, 20, 20), (0.4, 0.6))
    one, two = (measured([volume], threads=threads) for threads in (1, 3))
    other = measured([volume], seed=1)
    assert all(np.array_equal(one[name], two[name]) for name in FAST)
    assert not np.array_equal(one["volume_fractions"], other["volume_fractions"])


def test_progress_counts_up_to_the_total():
    stream = measure_sub_volumes([bernoulli((12, 12, 12), (0.5, 0.5))], 2, side=6, count=5)
    assert [(one.done, one.total) for one in stream] == [(k, 5) for k in range(1, 6)]


def test_stopping_early_leaves_no_work_behind(monkeypatch):
    measured, known = [], protocol.SCALARS["volume_fractions"]

    def compute(*given):
        measured.append(threading.get_ident())
        return known.compute(*given)

    chosen = {"volume_fractions": replace(known, compute=compute)}
    monkeypatch.setattr(protocol, "scalars_on", lambda device: chosen)
    volume = bernoulli((40, 40, 40), (0.5, 0.5))
    stream = measure_sub_volumes([volume], 2, side=30, count=2000, threads=1)
    next(stream)
    stream.close()
    assert 1 <= len(measured) < 2000
    assert measured[0] not in {thread.ident for thread in threading.enumerate()}


def test_means_come_close_to_the_whole_and_deviations_to_chance():
    phases = phases_from_values([0, 1])
    stacked = measured([bernoulli((40, 40, 40), (0.4, 0.6))], side=10, count=200)
    described = describe_values(stacked, phases)
    entry = described["volume_fractions"]["phase 1"]
    assert entry["mean"] == pytest.approx(0.6, abs=0.005)
    assert entry["sd"] == pytest.approx(np.sqrt(0.24 / 1000), rel=0.2)
    assert set(described["mean_chord_length"]["phase 0"]) == {"z", "y", "x"}
    assert json.dumps(described, allow_nan=False)


def test_an_absent_phase_is_described_by_nothing():
    described = describe_values(
        measured([np.zeros((9, 9, 9), np.uint8)]), phases_from_values([0, 1])
    )
    assert described["volume_fractions"]["phase 1"]["mean"] == 0
    assert described["mean_chord_length"]["phase 1"]["x"]["mean"] is None


def test_the_paper_s_protocol_measures_everything_but_transport():
    cubes = measured([bernoulli((16, 16, 16), (0.5, 0.5))], measures=PROTOCOL_MEASURES, count=2)
    assert "transport_efficiency" not in cubes
    assert cubes["percolating_fraction"].shape == (2, 2, 3)


def test_transport_is_measured_when_asked_for():
    cubes = measured([bernoulli((9, 9, 9), (0.1, 0.9))], measures=["transport_efficiency"], count=2)
    assert cubes["transport_efficiency"][:, 1].min() > 0.5


@pytest.mark.parametrize("wrong", [{"side": 0}, {"count": 0}, {"measures": ["two_point"]}])
def test_what_cannot_be_measured_is_refused(wrong):
    with pytest.raises(SettingsError):
        measured([bernoulli((9, 9, 9), (0.5, 0.5))], **wrong)

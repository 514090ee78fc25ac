import threading

import numpy as np
import pytest

from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.events import FinishReason
from napari_superres.measures.measuring import Subject, measure_subjects
from napari_superres.measures.summary import MEASURES, measure_volume
from tests.measures.materials import bernoulli

PHASES = (Phase(0, "pore"), Phase(1, "solid"))
LABELS = bernoulli((9, 10, 11), (0.4, 0.6))


def volume(name="volume"):
    return SegmentedVolume(LABELS, PHASES, (0.1, 0.1, 0.1), name)


def slices():
    return SegmentedSlices(((LABELS[0], LABELS[3]),), PHASES, (0.1, 0.1, 0.1), "slices")


def subject(item):
    return Subject(item.name, lambda: item)


def test_taking_them_one_by_one_gives_what_measuring_at_once_gives():
    *_, last = measure_subjects([subject(volume())], None, MEASURES, threading.Event())
    assert last.reason is FinishReason.COMPLETED
    assert last.result.found == (measure_volume(volume(), MEASURES),)
    assert last.result.reference is None


def test_progress_rises_over_volumes_and_reference():
    both = [subject(volume("one")), subject(volume("two"))]
    *steps, last = measure_subjects(both, subject(slices()), MEASURES, threading.Event())
    told = [step.share for step in steps]
    assert told == sorted(told)
    assert 0 <= told[0] < told[-1] <= 1
    assert {step.text.split(":")[0] for step in steps} == {"one", "two", "slices"}
    assert len(last.result.found) == 2


def test_slices_to_compare_with_tell_their_own_interval():
    *_, last = measure_subjects(
        [subject(volume())], subject(slices()), ["volume_fractions"], threading.Event()
    )
    assert "representativity" in last.result.reference
    assert "representativity" not in last.result.found[0]


def test_slices_of_unknown_pixel_size_have_the_voxels_of_the_volume():
    unsized = SegmentedSlices(slices().sets, PHASES, None, "slices")
    known, taken = (
        list(
            measure_subjects(
                [subject(volume())], subject(item), ["specific_surface_area"], threading.Event()
            )
        )[-1].result.reference
        for item in (slices(), unsized)
    )
    assert taken == known


def test_stopping_ends_before_the_next_measure():
    stop = threading.Event()
    events = measure_subjects([subject(volume())], None, ["transport_efficiency"], stop)
    told = []
    for event in events:
        told.append(event)
        if "along" in getattr(event, "text", ""):
            stop.set()
    assert told[-1].reason is FinishReason.STOPPED
    assert told[-1].result is None
    assert sum("along" in getattr(event, "text", "") for event in told) == 1


def test_nothing_is_read_before_its_turn():
    read = []

    def late():
        read.append(True)
        return volume()

    events = measure_subjects(
        [Subject("late", late)], None, ["volume_fractions"], threading.Event()
    )
    next(events)
    assert not read
    next(events)
    assert read


@pytest.mark.parametrize("labels", [np.zeros((4, 4, 4), np.uint8), np.zeros((1, 5, 1), np.uint8)])
def test_single_phases_and_thin_volumes_are_measured_without_failing(labels):
    one = SegmentedVolume(labels, PHASES, None, "flat")
    *_, last = measure_subjects([subject(one)], None, MEASURES, threading.Event())
    assert last.result.found[0]["volume_fractions"] == {"pore": 1.0, "solid": 0.0}

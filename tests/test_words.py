"""What the terminal and the panel say of an event."""

from pathlib import Path

import pytest

from napari_superres.events import (
    FinishReason,
    ImagesMeasured,
    RolledBack,
    StepCompleted,
    TrainingFinished,
)
from napari_superres.words import duration, line_of, measured_parts, share_of


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.2, "4 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (None, "")],
)
def test_times_are_written_as_people_say_them(seconds, text):
    assert duration(seconds) == text


def test_a_step_tells_the_time_left():
    event = StepCompleted(1050, 130.0, 0.5, 170.0, {})
    assert line_of(event) == "Step 1,050, 2 min 10 s trained, about 2 min 50 s left"
    assert share_of(event) == 0.5


def test_without_an_end_there_is_no_time_left_and_no_share():
    event = StepCompleted(40, 65.0, None, None, {})
    assert line_of(event) == "Step 40, 1 min 05 s trained"
    assert share_of(event) == -1


def test_a_stopped_training_says_that_it_was_kept():
    event = TrainingFinished(FinishReason.STOPPED, 12, 3.0, Path())
    assert line_of(event) == "Stopped and kept at step 12, 3 s trained."
    assert share_of(event) is None


def test_a_roll_back_is_one_sentence_with_what_was_noticed_and_how_it_goes_on():
    assert line_of(RolledBack(1400, 1250, "binder has vanished", 5e-4, 2)) == (
        "Step 1,400: binder has vanished. Rolled back to step 1,250; from there at half the "
        "learning rate, 5.0e-04, with 2 more roll-backs allowed."
    )
    assert "to the beginning" in line_of(RolledBack(400, 0, "", 5e-4, 2))


def test_numbers_of_images_have_the_names_people_read_and_new_ones_their_own():
    event = ImagesMeasured(9, {"new_gap": 0.5, "fraction_gap": 0.125, "p": 0.2}, {}, 1.0, True)
    assert measured_parts(event) == ["fractions 0.125", "p 0.20", "new gap 0.5000"]

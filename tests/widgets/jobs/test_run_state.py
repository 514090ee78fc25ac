import pytest

from napari_superres.widgets.jobs.run_state import ACTIVE, RunEvent, RunState, advance, controls

S, H = RunState, RunEvent


@pytest.mark.parametrize(
    ("state", "event", "after"),
    [
        (S.IDLE, H.START, S.STARTING),
        (S.STARTING, H.EVENT, S.RUNNING),
        (S.RUNNING, H.PAUSE, S.PAUSING),
        (S.PAUSING, H.PAUSED, S.PAUSED),
        (S.PAUSED, H.RESUME, S.RUNNING),
        (S.PAUSED, H.STOP, S.STOPPING),
        (S.STOPPING, H.STOPPED, S.STOPPED),
        (S.RUNNING, H.COMPLETED, S.COMPLETED),
        (S.STARTING, H.FAILED, S.FAILED),
        (S.FAILED, H.START, S.STARTING),
    ],
)
def test_a_run_moves_from_state_to_state(state, event, after):
    assert advance(state, event) is after


@pytest.mark.parametrize("late", [H.EVENT, H.PAUSED, H.PAUSE, H.RESUME])
def test_late_reports_do_not_undo_a_stop(late):
    assert advance(S.STOPPING, late) is S.STOPPING


@pytest.mark.parametrize("event", [h for h in H if h is not H.START])
def test_nothing_happens_to_a_run_that_has_ended(event):
    assert advance(S.STOPPED, event) is S.STOPPED


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_a_run_cannot_be_started_twice(state):
    assert advance(state, H.START) is state
    assert not controls(state, True, True).start


def test_without_inputs_nothing_can_be_pressed():
    offer = controls(S.IDLE, False, False)
    assert [offer.start, offer.middle, offer.stop] == [False] * 3
    assert "step 1" in offer.hint


def test_the_middle_button_is_pause_then_resume_then_continue():
    states = (S.RUNNING, S.PAUSED, S.STOPPED)
    texts = [controls(state, True, True).middle_text for state in states]
    assert texts == ["Pause", "Resume", "Continue"]


def test_while_stopping_only_waiting_is_offered():
    offer = controls(S.STOPPING, True, True)
    assert [offer.start, offer.middle, offer.stop] == [False] * 3

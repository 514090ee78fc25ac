"""What the Train and Monitor steps say and keep, without a window."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_superres.data.volumes import SegmentedSlices
from napari_superres.errors import OutputError
from napari_superres.events import MetricsMeasured, StepCompleted, TrainingStarted
from napari_superres.runs.discard import Holdings
from napari_superres.runs.new_folder import MARK
from napari_superres.widgets.jobs.run_state import RunState, controls
from napari_superres.widgets.jobs.threads import as_engine_error
from napari_superres.widgets.jobs.words import failure_text
from napari_superres.widgets.monitor.checkpoints import cells_of, read_rows
from napari_superres.widgets.run import history as run_history
from napari_superres.widgets.run.fusion import fraction_bands
from napari_superres.widgets.run.history import (
    History,
    PreviewBook,
    book_text,
    history_of_log,
    rollbacks_line,
)
from napari_superres.widgets.run.preflight import Preflight, estimate, folder_text, preflight_text
from napari_superres.widgets.run.run_bar import discard_question, discarded_text
from tests.fakes import PHASES, measured, preview
from tests.widgets.jobs.test_texts import SETTINGS

GIB = 2**30


def line(step, **more):
    found = measured(PHASES, 0.1)
    return {
        "step": step,
        "score": 1.5,
        "volume_fractions": dict(found.volume_fractions),
        "interface_areas": dict(found.interface_areas),
        "low_res_mismatch": 0.1,
        "losses": {"generator": 0.5},
        **more,
    }


def test_a_log_becomes_the_history_that_was_seen_live():
    live = History(target=measured(PHASES))
    for step in (10, 20):
        live.add(StepCompleted(step, 0.0, None, None, {"generator": 0.5}))
        live.add(MetricsMeasured(step, measured(PHASES, 0.1), 1.5, False))
    read = history_of_log([line(10), line(20)], measured(PHASES))
    assert read.fractions == live.fractions
    assert read.losses == live.losses
    assert read.errors() == live.errors()


def test_a_roll_back_in_the_log_cuts_the_curves_and_is_told():
    back = {"step": 30, "rolled_back_to": 10, "reason": "binder has vanished"}
    history = history_of_log([line(10), line(20), back, line(12)], None)
    assert history.mismatch.steps == [10, 12]
    assert rollbacks_line(history) == (
        "Rolled back once, last from step 30 to 10: binder has vanished."
    )


def test_lines_of_other_programs_are_left_out():
    history = history_of_log([{"note": 1}, line("x"), line(10, score=None), line(20)], None)
    assert history.mismatch.steps == [20]


def test_a_resumed_run_forgets_what_came_after_its_checkpoint():
    history = history_of_log([line(10), line(20)], None)
    history.add(TrainingStarted(Path(), "cpu", 12, measured(PHASES), 1, 1))
    assert history.mismatch.steps == [10]


def test_what_is_no_number_is_not_drawn():
    history = History()
    history.add(StepCompleted(1, 0.0, None, None, {"generator": float("nan")}))
    assert not history.losses


def test_the_book_of_previews_keeps_first_and_last_and_stays_small(monkeypatch):
    monkeypatch.setattr(run_history, "MOST", 10)
    book = PreviewBook(preview(step, 3) for step in range(100))
    assert len(book) <= 10
    assert (book.steps[0], book.steps[-1]) == (0, 99)


def test_large_previews_are_fewer(monkeypatch):
    monkeypatch.setattr(run_history, "MOST_BYTES", 5 * 3 * (32 * 32 + 8 * 8))
    assert len(PreviewBook(preview(step, 3) for step in range(20))) <= 5


def test_a_preview_of_the_same_step_takes_the_place_of_the_one_before():
    assert PreviewBook([preview(3, 3), preview(5, 3), preview(3, 2)]).steps == [3, 5]


def test_looking_back_tells_of_how_many_steps():
    book = PreviewBook([preview(3, 3), preview(1200, 3)])
    assert book_text(book, 0, False) == "Previews at step 3 of 1,200"
    assert book_text(book, 1, True) == "Previews at step 1,200"
    assert book.nearest(700) == 0


def test_bands_hold_the_fractions_of_the_slices():
    image = (np.random.default_rng(0).random((128, 128)) < 0.3).astype(np.uint8)
    bands = fraction_bands(SegmentedSlices(((image,),), PHASES[:2], (0.1,) * 3, "high"))
    low, high = bands["active material"]
    assert low < image.mean() < high


def test_a_phase_that_no_slice_shows_has_no_band():
    image = (np.random.default_rng(0).random((64, 64)) < 0.3).astype(np.uint8)
    bands = fraction_bands(SegmentedSlices(((image,),), PHASES, (0.1,) * 3, "high"))
    assert "binder" not in bands


def test_a_checkpoint_is_told_by_its_numbers():
    cells = cells_of(1250, {"elapsed_s": 90, "measurement": line(1250)}, measured(PHASES))
    assert cells == ("1,250", "0:01:30", "1.50", "0.100", "24%", "10.0%")


def test_a_checkpoint_without_numbers_has_dashes():
    assert cells_of(5, {}, None) == ("5", "–", "–", "–", "–", "–")


def test_checkpoints_come_latest_first_with_marks_and_picture(tmp_path):
    for step, score in ((10, 2.0), (20, 1.0), (30, 3.0)):
        folder = tmp_path / "checkpoints" / f"step-{step:07d}"
        folder.mkdir(parents=True)
        (folder / "state.json").write_text(json.dumps({"step": step, "score": score}))
    (folder / "thumbnail.png").write_bytes(b"a picture")
    rows = read_rows(tmp_path, None)
    assert [row.step for row in rows] == [30, 20, 10]
    assert [row.marks for row in rows] == [("last",), ("best",), ()]
    assert rows[0].picture == b"a picture"


def test_an_estimate_tells_what_to_do_when_there_is_no_room():
    assert "3.0 GiB are free." in preflight_text(Preflight("cpu", GIB, 3 * GIB))
    assert "Batch" in preflight_text(Preflight("cuda:0", 9 * GIB, 3 * GIB))
    assert preflight_text(Preflight("mps", GIB, None)).endswith("on mps.")


def test_a_smaller_batch_needs_less():
    small = SETTINGS.replace(device="cpu", engine=SETTINGS.engine.replace(batch=1))
    assert estimate(small).needed < estimate(SETTINGS.replace(device="cpu")).needed


def test_the_folder_of_the_next_run_is_looked_at_before_the_start(tmp_path):
    assert "made" in folder_text(tmp_path / "new")
    assert "Empty" in folder_text(tmp_path)
    (tmp_path / "stopped").mkdir()
    (tmp_path / "stopped" / MARK).touch()
    assert "interrupted" in folder_text(tmp_path / "stopped")
    shutil.rmtree(tmp_path / "stopped")
    (tmp_path / "config.json").write_text("{}")
    assert "run is kept here" in folder_text(tmp_path)
    assert "a file" in folder_text(tmp_path / "config.json")


def test_a_folder_that_cannot_be_looked_at_is_told_while_it_is_typed(tmp_path):
    assert "cannot be read" in folder_text(tmp_path / ("a" * 300))


def test_before_a_run_is_deleted_it_is_said_what_goes_and_what_stays():
    found = Holdings(3 * 2**20, 2, ("super-res.tif",))
    asked = discard_question(Path("/runs/a"), found, training=True)
    assert "training ends" in asked
    assert "2 checkpoints in /runs/a" in asked
    assert "stays: super-res.tif" in asked
    assert discarded_text(Path("/runs/a"), ()) == "Discarded /runs/a."


@pytest.mark.parametrize("state", [RunState.STARTING, RunState.STOPPING])
def test_nothing_is_discarded_while_it_starts_or_stops(state):
    assert not controls(state, True, True, has_run=True).discard


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.PAUSED, RunState.STOPPED])
def test_a_run_can_be_discarded_when_there_is_one(state):
    assert controls(state, True, False, has_run=True).discard
    assert not controls(state, True, False, has_run=False).discard


def test_an_opened_run_is_ready_to_go_on():
    assert "Continue" in controls(RunState.IDLE, False, True, True).hint


def test_a_full_disk_is_told_as_such_and_not_as_a_start_that_failed():
    error = as_engine_error(OSError(28, "No space left on device"))
    assert isinstance(error, OutputError)
    assert failure_text(error, started=True).startswith("<b>Training ended early.</b> The disk")
    assert failure_text(error, started=False).startswith("<b>Not started.</b>")


def test_an_error_cannot_smuggle_markup_into_the_status_line():
    assert "&lt;i&gt;" in failure_text(ValueError("<i>x</i>"), started=True)

"""When an image panel finds no room for a step: a smaller batch is offered as a button."""

import threading

import pytest
from napari.utils.notifications import notification_manager

from napari_superres.config import Budget
from napari_superres.errors import SettingsError
from napari_superres.runs.run import Run
from napari_superres.synthesis.settings import SYNTHESIS, SynthesisSettings
from napari_superres.translation.settings import TRANSLATION
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.synthesis.engine import SynthesisEngine
from napari_superres.widgets.translation.engine import TranslationEngine
from tests.synthesis import test_style_training as style
from tests.translation import materials as translation
from tests.widgets.synthesis.test_synthesis_dock import bench  # noqa: F401  a fixture


def settings(batch, group=4):
    return SynthesisSettings(engine={"batch": batch, "minibatch_group": group})


@pytest.mark.parametrize(
    ("batch", "group", "less"), [(8, 4, 4), (24, 8, 8), (4, 4, 2), (2, 4, None)]
)
def test_a_smaller_batch_is_one_that_the_groups_of_the_discriminator_allow(batch, group, less):
    assert settings(batch, group).less_memory() == ({} if less is None else {"batch": less})


def no_room(bench, after):  # noqa: F811
    bench.fake.room, bench.fake.fails_at = 4, after
    bench.choose()
    bench.dock.run_bar.start.click()
    bench.until(RunState.FAILED)


def test_without_room_before_a_checkpoint_a_start_with_a_smaller_batch_is_offered(bench):  # noqa: F811
    no_room(bench, after=0)
    bar = bench.dock.run_bar
    assert bar.start.text() == "Start with batch 4"
    assert "press Start with batch 4" in bar.status.text()
    assert "press Start with batch 4" in notification_manager.records[-1].message
    bar.start.click()
    bench.until(RunState.COMPLETED)
    assert bench.dock.train.engine_form.dials["batch"].value == 4
    assert bar.start.text() == "Start"


def test_without_room_after_a_checkpoint_the_run_goes_on_with_a_smaller_batch(bench):  # noqa: F811
    no_room(bench, after=2)
    bar = bench.dock.run_bar
    assert bar.middle.text() == "Continue with batch 4"
    bench.fake.room = 2
    bar.middle.click()
    bench.until(RunState.FAILED)
    assert bar.middle.text() == "Continue with batch 2"
    bar.middle.click()
    bench.until(RunState.COMPLETED)
    assert bench.fake.trained.engine.batch == 2
    assert bar.middle.text() == "Continue"


def test_a_batch_chosen_by_hand_takes_the_offer_back(bench):  # noqa: F811
    no_room(bench, after=0)
    bench.dock.train.engine_form.dials["batch"].value = 6
    assert bench.dock.run_bar.start.text() == "Start"


@pytest.mark.parametrize(
    ("trained", "engine", "kind"),
    [
        (style.run_of, SynthesisEngine(), SYNTHESIS),
        (translation.run_of, TranslationEngine(), TRANSLATION),
    ],
)
def test_a_real_run_goes_on_with_the_smaller_batch(tmp_path, trained, engine, kind):
    trained(tmp_path / "run", 2)
    less = Run.open(tmp_path / "run", kind).settings.less_memory()
    *_, end = engine.resume(tmp_path / "run", Budget(steps=4), threading.Event(), less)
    assert end.step == 4
    run = Run.open(tmp_path / "run")
    assert run.settings["engine"]["batch"] == less["batch"]
    assert [(change.step, change.after) for change in run.config.changes] == [(2, less)]


def test_a_batch_that_the_other_settings_forbid_changes_nothing(tmp_path):
    style.run_of(tmp_path / "run", 1)
    before = (tmp_path / "run" / "config.json").read_bytes()
    with pytest.raises(SettingsError, match="batch"):
        list(SynthesisEngine().resume(tmp_path / "run", Budget(), threading.Event(), {"batch": 1}))
    assert (tmp_path / "run" / "config.json").read_bytes() == before

"""The synthesis panel in a viewer, with a fake engine."""

import shlex

import numpy as np
import pytest
from napari.layers import Labels, Shapes
from napari.utils.notifications import notification_manager
from qtpy.QtGui import QGuiApplication

from napari_superres.events import RolledBack
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.layers.notes import HIGH_RES, role_of
from napari_superres.widgets.run.history import score_line
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.synthesis.dock import SynthesisDock
from napari_superres.widgets.synthesis.patches import ROLE
from tests.fakes_images import FakeImages

GREY = (np.indices((64, 80)).sum(0)).astype(np.uint8)


class Bench:
    """A viewer with an image and the panel docked."""

    def __init__(self, viewer, fake, qtbot, tmp_path):
        self.viewer, self.qtbot, self.fake = viewer, qtbot, fake
        viewer.add_image(GREY, name="sem", scale=(0.5, 0.5), units=("um", "um"))
        self.session = Session()
        self.dock = SynthesisDock(viewer, self.session, fake.synthesis())
        viewer.window.add_dock_widget(self.dock)
        self.training, self.gallery = self.dock.training, self.dock.gallery
        self.dock.patches.show_grid.setChecked(False)  # fewer layers to tell apart
        self.dock.train.use_folder(tmp_path / "run")

    def choose(self):
        self.dock.patches.side.value = 16
        self.dock.patches.picker.choose([self.viewer.layers["sem"]])
        self.qtbot.waitUntil(lambda: self.training.ready, timeout=3000)

    def until(self, state):
        self.qtbot.waitUntil(lambda: self.training.runner.state is state, timeout=8000)

    def trained(self):
        self.choose()
        self.dock.run_bar.start.click()
        self.until(RunState.COMPLETED)

    def worked(self):
        self.qtbot.waitUntil(lambda: not self.training.work.active, timeout=8000)

    def sampled(self):
        self.trained()
        self.dock.show_step(self.gallery)
        self.qtbot.waitUntil(lambda: self.gallery.shown is not None, timeout=8000)
        self.worked()

    def click(self, button):
        before = len(self.viewer.layers)
        button.click()
        self.worked()
        return list(self.viewer.layers)[before:]


@pytest.fixture
def bench(make_napari_viewer_proxy, qtbot, tmp_path):
    bench = Bench(make_napari_viewer_proxy(), FakeImages(), qtbot, tmp_path)
    yield bench
    bench.session.shut_down()
    for runner in (bench.training.runner, bench.training.work):
        qtbot.waitUntil(lambda runner=runner: not runner.active, timeout=8000)
    qtbot.wait(50)


def test_the_grid_is_drawn_over_the_image_in_its_units(bench):
    bench.dock.patches.show_grid.setChecked(True)
    bench.choose()
    name = "patches of sem"
    bench.qtbot.waitUntil(lambda: name in bench.viewer.layers, timeout=3000)
    layer = bench.viewer.layers[name]
    assert isinstance(layer, Shapes)
    np.testing.assert_allclose(layer.scale, 0.5)
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 2
    assert layer.axis_labels == ("y", "x")
    assert "held out" in bench.dock.patches.summary.text()
    bench.dock.patches.show_grid.setChecked(False)
    bench.qtbot.waitUntil(lambda: name not in bench.viewer.layers, timeout=3000)


def test_the_papers_grid_is_one_click_and_too_large_here(bench):
    bench.choose()
    bench.dock.patches.paper.click()
    assert bench.dock.patches.values()["stride"] == 500
    assert "no room for a patch of 1024" in bench.dock.patches.summary.text()
    assert not bench.dock.run_bar.start.isEnabled()


def test_a_training_reads_the_layers_and_fills_the_plots(bench):
    bench.trained()
    ((sets, settings, _folder),) = bench.fake.asked
    np.testing.assert_array_equal(sets[0].images[0], GREY)
    assert (settings.size, sets[0].pixel_size) == (16, 0.5)
    watch = bench.dock.watch
    bench.qtbot.waitUntil(lambda: len(watch.numbers[0]._lines) == 2, timeout=3000)
    assert "Images at step 4" in watch.caption.text()
    assert "Next: step 4, Gallery." in bench.dock.run_bar.status.text()


def test_pause_stop_and_continue_by_the_buttons(bench):
    bench.fake.steps, bench.fake.step_s = 100_000, 0.001
    bench.choose()
    bar = bench.dock.run_bar
    bar.start.click()
    bench.until(RunState.RUNNING)
    bar.middle.click()
    bench.until(RunState.PAUSED)
    bar.stop.click()
    bench.until(RunState.STOPPED)
    assert bar.middle.text() == "Continue"
    bench.fake.steps = 3
    bar.middle.click()
    bench.until(RunState.COMPLETED)
    assert max(bench.training.history.losses["generator"].steps) == 103


def test_a_roll_back_is_shown_and_takes_back_what_came_after(bench):
    bench.trained()
    bench.training.take_event(RolledBack(4, 2, "the score has left the best", 1e-3, 2))
    watch, history = bench.dock.watch, bench.training.history
    watch.show_history()
    assert "from step 4 to 2: the score has left the best" in watch.rolled_back.text()
    assert "Rolled back to step 2" in notification_manager.records[-1].message
    assert history.losses["generator"].steps == [1, 2]
    assert history.best == 2
    assert bench.training.previews.last.step == 2


def test_a_second_training_is_refused_and_the_first_goes_on(bench):
    bench.fake.steps, bench.fake.step_s = 100_000, 0.001
    bench.choose()
    bench.dock.run_bar.start.click()
    bench.until(RunState.RUNNING)
    first = bench.training.run
    bench.dock.train.start()
    bench.training.open("elsewhere")
    assert "One at a time" in notification_manager.records[-1].message
    assert bench.training.run is first


def test_a_closed_dock_stops_its_training_which_is_kept(bench):
    bench.fake.steps, bench.fake.step_s = 100_000, 0.001
    bench.choose()
    bench.dock.run_bar.start.click()
    bench.until(RunState.RUNNING)
    bench.viewer.window.remove_dock_widget(bench.dock)
    bench.until(RunState.STOPPED)
    assert bench.training.trained is not None


def test_an_earlier_run_opens_with_its_numbers(bench, tmp_path):
    bench.training.open(tmp_path / "old")
    bench.qtbot.waitUntil(lambda: bench.training.run is not None, timeout=3000)
    assert bench.training.history.best == 2
    assert bench.dock.run_bar.middle.text() == "Continue"
    assert "Best at step 2" in score_line(bench.training.history)


def test_reopening_the_panel_shows_the_same_training(bench):
    bench.trained()
    again = SynthesisDock(bench.viewer, bench.session, bench.fake.synthesis())
    bench.qtbot.addWidget(again)
    assert again.training is bench.training


def test_samples_are_picked_by_clicking_and_varied(bench):
    bench.sampled()
    form = bench.gallery.form
    assert form.thumbnails.count() == 16
    form.thumbnails.pick([3])
    bench.click(form.noise)
    assert set(bench.gallery.shown.styles) == {3}
    form.thumbnails.pick([1])
    bench.click(form.style_button)
    assert set(bench.gallery.shown.noises) == {16}


def test_two_picked_samples_become_a_stack_to_play(bench):
    bench.sampled()
    form = bench.gallery.form
    form.thumbnails.pick([5])
    form.thumbnails.item(2).setSelected(True)
    assert form.picked.text() == "Picked: style 5; style 2"
    (layer,) = bench.click(form.between)
    assert layer.data.shape == (16, 16, 16)
    assert layer.axis_labels == ("z", "y", "x")
    np.testing.assert_allclose(layer.scale, 0.5)


def test_the_nearest_real_window_lies_beside_each_sample(bench):
    bench.sampled()
    bench.gallery.form.thumbnails.pick([0, 1])
    (layer,) = bench.click(bench.gallery.form.nearest)
    assert layer.data.shape == (2, 16, 32)
    assert "Looks learnt by heart" in bench.gallery.jobs.status.text()


def test_grey_samples_become_high_res_slices_by_thresholds(bench):
    bench.sampled()
    form = bench.gallery.form
    form.classes.setValue(3)
    form.many.setValue(5)
    (layer,) = bench.click(form.slices)
    assert isinstance(layer, Labels)
    assert role_of(layer) == HIGH_RES
    assert layer.data.shape == (5, 16, 16)
    assert set(np.unique(layer.data)) == {1, 2, 3}


def test_many_samples_are_written(bench, tmp_path):
    bench.sampled()
    form = bench.gallery.form
    form.path.setText(str(tmp_path / "all.tif"))
    bench.click(form.export)
    picks, output = bench.fake.asked[-1]
    assert (len(picks), output) == (64, tmp_path / "all.tif")
    assert "Written" in bench.gallery.jobs.status.text()


def test_samples_of_a_run_that_is_shown_no_more_are_not_shown(bench, tmp_path):
    bench.sampled()
    bench.fake.step_s = 0.2
    bench.gallery.form.new.click()
    other = tmp_path / "other"
    bench.training.open(other)
    bench.qtbot.waitUntil(lambda: bench.training.run.folder == other, timeout=8000)
    bench.worked()
    assert bench.gallery.shown is None
    assert bench.gallery.form.thumbnails.count() == 0
    assert not bench.gallery.form.show_picked.isEnabled()


def test_a_job_of_another_dock_does_not_do_again_what_this_one_did_last(bench):
    bench.sampled()
    other = SynthesisDock(bench.viewer, bench.session, bench.fake.synthesis())
    bench.viewer.window.add_dock_widget(other)
    (_,) = bench.click(bench.gallery.form.slices)
    assert bench.click(other.gallery.form.new) == []
    assert other.gallery.form.thumbnails.count() == 16


def test_the_option_for_a_terminal_says_what_it_leaves_out(bench):
    bench.sampled()
    bench.gallery.form.many.setValue(5)
    bench.gallery.form.option.click()
    folder = bench.training.run.folder
    words = shlex.split(QGuiApplication.clipboard().text())
    assert words == ["--augment-with", str(folder), "--augment-count", "5"]
    assert "without truncation" not in notification_manager.records[-1].message
    bench.gallery.form.truncation.setValue(0.7)
    bench.gallery.form.option.click()
    assert "without truncation" in notification_manager.records[-1].message


def test_the_grid_is_not_offered_as_an_image(bench):
    bench.dock.patches.show_grid.setChecked(True)
    bench.choose()
    bench.qtbot.waitUntil(lambda: len(bench.viewer.layers) == 2, timeout=3000)
    assert bench.viewer.layers[-1].metadata["napari-superres"]["role"] == ROLE
    assert bench.dock.patches.picker.list.count() == 1

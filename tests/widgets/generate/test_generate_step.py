"""The Generate step in a viewer: regions, realisations, results on disk."""

import threading
from dataclasses import replace
from fractions import Fraction

import dask.array as da
import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from napari_superres.config import GenerationSettings
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.widgets.generate import layers as generated_layers
from napari_superres.widgets.generate import step as generate_step
from napari_superres.widgets.generate.step import GenerateStep
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.layers.box_drawing import REGION_LAYER
from napari_superres.widgets.layers.files import read_result
from napari_superres.widgets.layers.notes import SUPER_RES, role_of
from napari_superres.widgets.layers.placement import placement_of
from napari_superres.widgets.run.fusion import FusionRun
from napari_superres.widgets.run.generation import Written
from napari_superres.widgets.run.session import Session
from tests.fakes import PHASES


class Bench:
    """A viewer with the low-res layer, the step, and a trained run."""

    def __init__(self, viewer, engine, qtbot, tmp_path, shape):
        self.viewer, self.qtbot = viewer, qtbot
        self.low = viewer.add_labels(
            np.ones(shape, np.uint8), name="low", scale=(0.4,) * 3, units=("um",) * 3,
            translate=(10, 0, 0),
        )  # fmt: skip
        self.session = Session(engine)
        self.step = GenerateStep(viewer, self.session)
        viewer.window.add_dock_widget(self.step, name="bench")
        (tmp_path / "run").mkdir()
        self.run = FusionRun(
            tmp_path / "run", (Fraction(4),) * 3, PHASES, PHASES[:2], shape,
            placement_of(self.low), True, "low",
        )  # fmt: skip
        self.session.fusion.set_run(self.run)

    def generate(self):
        self.step.generate.click()
        ended = (RunState.COMPLETED, RunState.FAILED)
        runner = self.session.generation.runner
        self.qtbot.waitUntil(lambda: runner.state in ended, timeout=10000)
        assert runner.state is RunState.COMPLETED

    def results(self, count):
        def there():
            return len(self.viewer.layers) == 1 + count

        self.qtbot.waitUntil(there, timeout=10000)
        return [layer for layer in self.viewer.layers if layer.name != "low"]


@pytest.fixture
def bench(make_napari_viewer_proxy, engine, qtbot, tmp_path):
    engine.shape = (40, 40, 300)
    bench = Bench(make_napari_viewer_proxy(), engine, qtbot, tmp_path, (10, 10, 75))
    yield bench
    bench.session.shut_down()
    qtbot.waitUntil(lambda: not bench.session.generation.runner.active, timeout=8000)
    qtbot.wait(50)


def test_a_volume_on_disk_opens_lazily_over_the_low_res_layer(bench):
    bench.step.form.kind.setCurrentIndex(1)
    assert "of disk" in bench.step.estimate.text()
    bench.generate()
    (layer,) = bench.results(1)
    assert (bench.run.folder / "super-res.zarr").is_dir()
    assert layer.multiscale
    assert isinstance(layer.data[0], da.Array)
    assert role_of(layer) == SUPER_RES
    np.testing.assert_allclose(layer.scale, 0.1)
    np.testing.assert_allclose(layer.translate, (9.85, -0.15, -0.15))
    assert "Written" in bench.step.job.status.text()
    assert not bench.viewer.layers["low"].visible


def test_the_next_volume_on_disk_does_not_replace_the_one_before(bench):
    bench.step.form.kind.setCurrentIndex(1)
    for number in (1, 2):
        bench.generate()
        bench.results(number)
    made = {path.name for path in bench.run.folder.glob("*.zarr")}
    assert made == {"super-res.zarr", "super-res-2.zarr"}
    assert bench.step.form.path.placeholderText() == "super-res-3.zarr in the run folder"


def test_a_file_that_a_layer_reads_from_is_not_written_over(bench):
    bench.step.form.kind.setCurrentIndex(1)
    bench.step.form.path.setText(str(bench.run.folder / "sr.zarr"))
    bench.generate()
    (layer,) = bench.results(1)
    bench.step.generate.click()
    assert not bench.session.generation.runner.active
    assert f"The layer {layer.name} reads from" in notification_manager.records[-1].message
    bench.viewer.layers.remove(layer.name)
    bench.generate()


def test_realisations_in_memory_are_a_layer_a_seed(bench):
    bench.step.form.count.setValue(2)
    bench.step.form.seed.setValue(5)
    bench.generate()
    names = [layer.name for layer in bench.results(2)]
    assert names == ["super-res, seed 5", "super-res, seed 6"]


def test_of_realisations_in_one_place_the_last_is_shown(bench):
    for seed, region in ((5, "2:6,:,:"), (6, ""), (7, "")):
        bench.step.form.seed.setValue(seed)
        bench.step.form.region.setText(region)
        bench.generate()
        bench.results(seed - 4)
    shown = [layer.name for layer in bench.results(3) if layer.visible]
    assert shown == ["super-res, seed 5", "super-res, seed 7"]


def test_a_result_whose_colours_stay_is_not_drawn_anew(bench):
    bench.generate()
    (layer,) = bench.results(1)
    drawn = []
    layer.events.colormap.connect(lambda _event: drawn.append(layer.name))
    bench.step.hidden.paint()
    assert not drawn
    bench.step.hidden.setCurrentIndex(1)
    assert drawn


def test_realisations_on_disk_open_with_the_most_likely_phases_on_top(bench, tmp_path):
    bench.step.form.kind.setCurrentIndex(2)
    bench.step.form.path.setText(str(tmp_path / "all.tif"))
    bench.step.form.count.setValue(2)
    bench.generate()
    layers = bench.results(3)
    assert [layer.name for layer in layers] == ["seed-0", "seed-1", "most-likely"]
    assert [layer.visible for layer in layers] == [False, False, True]


def test_a_drawn_rectangle_becomes_the_region(bench):
    bench.step.form.region.setText("2:6,:,:")
    bench.step.form.draw.click()
    corners = [[3, 1, 10], [3, 1, 20], [3, 6, 20], [3, 6, 10]]
    bench.viewer.layers[REGION_LAYER].add_rectangles([corners])
    bench.step.take_drawn()
    assert bench.step.form.region.text() == "2:6,1:7,10:21"
    assert bench.step.settings().region == ((2, 6), (1, 7), (10, 21))
    np.testing.assert_allclose(bench.viewer.layers[REGION_LAYER].translate, (10, 0, 0))


def test_a_file_of_another_kind_is_told_before_anything_starts(bench, tmp_path):
    bench.step.form.kind.setCurrentIndex(1)
    bench.step.form.path.setText(str(tmp_path / "sr.tif"))
    assert "is no .zarr file" in bench.step.estimate.text()
    bench.step.generate.click()
    assert bench.session.generation.runner.state is RunState.IDLE


def test_changing_the_kind_changes_the_ending(bench, tmp_path):
    bench.step.form.path.setText(str(tmp_path / "sr.zarr"))
    bench.step.form.kind.setCurrentIndex(2)
    assert bench.step.form.path.text() == str(tmp_path / "sr.tif")


def test_a_step_chosen_of_one_run_is_not_asked_of_another(bench):
    bench.step.use_checkpoint("560")
    assert bench.step.settings().checkpoint == "560"
    bench.session.fusion.set_run(replace(bench.run, folder=bench.run.folder / "other"))
    assert bench.step.settings().checkpoint == "best"


def test_a_path_is_heard_from_its_first_letter(bench, tmp_path):
    bench.step.form.kind.setCurrentIndex(1)
    for length in range(1, len(str(tmp_path)) + 1):
        bench.step.form.path.setText(str(tmp_path)[:length])
        assert bench.step.estimate.text()


def test_a_name_with_a_dot_stays_whole_when_the_kind_changes(bench, tmp_path):
    bench.step.form.path.setText(str(tmp_path / "case.4"))
    bench.step.form.kind.setCurrentIndex(2)
    assert bench.step.form.path.text() == str(tmp_path / "case.4")
    assert bench.step.form.target(bench.run).output == tmp_path / "case.4.tif"


def test_a_cancelled_file_can_be_gone_on_with(bench, engine):
    engine.step_s = 0.2
    bench.step.form.kind.setCurrentIndex(1)
    bench.step.generate.click()
    bench.step.job.cancel.click()
    runner = bench.session.generation.runner
    bench.qtbot.waitUntil(lambda: runner.state is RunState.STOPPED, timeout=8000)
    assert "goes on with it" in bench.step.job.status.text()


def written(folder, name, bench, **settings):
    path = folder / f"{name}.tif"
    values = np.zeros((8, 8, 8), np.uint8)
    write_labels_tiff(path, values, voxel_size=(0.1,) * 3, phases=PHASES)
    return Written(path, GenerationSettings.model_validate(settings), bench.run)


def test_two_results_opened_at_once_each_come_to_lie_in_their_own_place(
    bench, tmp_path, monkeypatch
):
    first = written(tmp_path, "first", bench, region=((0, 2), (0, 2), (0, 2)))
    second = written(tmp_path, "second", bench, region=((4, 6), (0, 2), (0, 2)))
    later = threading.Event()

    def read(file):
        if file.stem == "first":
            later.wait(20)  # the second one is read sooner
        return read_result(file)

    monkeypatch.setattr(generated_layers, "read_result", read)
    bench.step.open_written(first)
    bench.step.open_written(second)
    bench.results(1)
    later.set()
    layers = {layer.name: layer for layer in bench.results(2)}
    np.testing.assert_allclose(layers["first"].translate, (9.85, -0.15, -0.15))
    np.testing.assert_allclose(layers["second"].translate, (11.45, -0.15, -0.15))


def test_a_result_that_cannot_be_opened_is_named(bench, tmp_path):
    gone = Written(tmp_path / "gone.tif", GenerationSettings.model_validate({}), bench.run)
    bench.step.open_written(gone)
    told = bench.step.job.status
    bench.qtbot.waitUntil(lambda: "not opened" in told.text(), timeout=10_000)
    assert "gone.tif" in told.text()


def test_a_volume_that_there_is_no_memory_to_show_is_told(bench, monkeypatch):
    def too_large(generated):
        raise MemoryError

    monkeypatch.setattr(generate_step, "AT_ONCE", 1)
    monkeypatch.setattr(generate_step, "shown_volume", too_large)
    bench.generate()
    said = bench.step.job.status.text
    bench.qtbot.waitUntil(lambda: "not shown" in said(), timeout=10_000)
    assert "no memory left" in said()

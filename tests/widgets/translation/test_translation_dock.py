"""The translation panel in a viewer, with a fake engine."""

import numpy as np
import pytest

from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.translation.dock import TranslationDock
from tests.fakes_images import FakeImages, trained

GREY = (np.indices((30, 40)).sum(0)).astype(np.uint8)


class Bench:
    """A viewer with two images and the panel docked."""

    def __init__(self, viewer, fake, qtbot, tmp_path):
        self.viewer, self.qtbot, self.fake = viewer, qtbot, fake
        self.low = viewer.add_image(GREY, name="ct", scale=(2, 2), units=("um", "um"))
        self.high = viewer.add_image(GREY, name="sem", scale=(1, 1), units=("um", "um"))
        self.session = Session()
        self.dock = TranslationDock(viewer, self.session, fake.translation())
        viewer.window.add_dock_widget(self.dock)
        self.training = self.dock.training
        self.dock.train.use_folder(tmp_path / "run")

    def choose(self):
        self.dock.inputs.low.choose([self.viewer.layers["ct"]])
        self.dock.inputs.high.choose([self.viewer.layers["sem"]])
        self.qtbot.waitUntil(lambda: self.training.ready, timeout=3000)

    def applied(self, layers):
        self.dock.apply.translate.click()
        ready = lambda: len(self.viewer.layers) == layers and not self.training.work.active  # noqa: E731
        self.qtbot.waitUntil(ready, timeout=8000)
        return list(self.viewer.layers)


@pytest.fixture
def bench(make_napari_viewer_proxy, qtbot, tmp_path):
    bench = Bench(make_napari_viewer_proxy(), FakeImages(), qtbot, tmp_path)
    yield bench
    bench.session.shut_down()
    for runner in (bench.training.runner, bench.training.work):
        qtbot.waitUntil(lambda runner=runner: not runner.active, timeout=8000)
    qtbot.wait(50)


def test_the_scale_factor_comes_from_the_pixel_sizes(bench):
    bench.choose()
    assert bench.dock.inputs.scale_factor.value == 2
    bench.dock.inputs.scale_factor.value = 8
    assert "The pixel sizes say 2" in bench.dock.inputs.summary.text()


def test_a_training_gets_both_sets_and_synthetic_images(bench, tmp_path):
    bench.choose()
    bench.dock.inputs.run.setText(str(tmp_path / "style"))
    assert f"--augment-with {tmp_path / 'style'}" in bench.dock.train.command()
    bench.dock.run_bar.start.click()
    state = bench.training.runner
    bench.qtbot.waitUntil(lambda: state.state is RunState.COMPLETED, timeout=8000)
    augmented, (sets, settings, _folder) = bench.fake.asked
    assert augmented == (tmp_path / "style", 64)
    assert [one.pixel_size for one in sets] == [2.0, 1.0]
    assert settings.scale_factor == 2


def test_an_image_is_translated_into_a_layer_in_its_place(bench, tmp_path):
    bench.training.set_run(trained(tmp_path))
    bench.dock.apply.layer.choose(bench.viewer.layers["ct"])
    assert "60 × 80" in bench.dock.apply.summary.text()
    layer = bench.applied(3)[-1]
    assert layer.data.shape == (60, 80)
    np.testing.assert_allclose(layer.scale, 1)
    np.testing.assert_allclose(layer.translate, -0.5)
    assert layer.axis_labels == ("y", "x")


def test_realisations_of_a_volume_are_a_layer_a_seed(bench, tmp_path):
    bench.training.set_run(trained(tmp_path))
    volume = bench.viewer.add_image(np.stack([GREY] * 3), name="stack")
    apply = bench.dock.apply
    apply.layer.choose(volume)
    apply.axis.setCurrentIndex(2)
    apply.count.setValue(2)
    layers = bench.applied(5)
    assert [layer.data.shape for layer in layers[3:]] == [(6, 60, 40)] * 2
    assert layers[-1].name == "stack, translated, seed 1"


def test_without_a_run_nothing_can_be_translated(bench):
    bench.dock.apply.layer.choose(bench.viewer.layers["ct"])
    assert not bench.dock.apply.translate.isEnabled()


def test_results_on_disk_get_names_of_their_own(bench, tmp_path):
    bench.training.set_run(trained(tmp_path))
    apply = bench.dock.apply
    apply.layer.choose(bench.viewer.layers["ct"])
    apply.kind.setCurrentIndex(2)
    assert apply.target().output == tmp_path / "translated.tif"
    (tmp_path / "translated.tif").touch()
    assert apply.target().output == tmp_path / "translated-2.tif"
    apply.refresh()
    assert apply.path.placeholderText() == "translated-2.tif in the run folder"

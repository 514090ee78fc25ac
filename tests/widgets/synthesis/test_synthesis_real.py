"""The synthesis and translation panels with the real engines, once, on tiny images."""

import numpy as np

from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.synthesis.dock import SynthesisDock
from tests.synthesis.materials import TINY, tiny_images


def test_the_panel_trains_samples_and_interpolates_for_real(
    make_napari_viewer_proxy, qtbot, tmp_path
):
    viewer = make_napari_viewer_proxy()
    viewer.add_image(tiny_images().images[0], name="sem")
    session = Session()
    dock = SynthesisDock(viewer, session)
    viewer.window.add_dock_widget(dock)
    dock.patches.side.value = 16
    dock.patches.form.dials["stride"].value = "2"
    dock.patches.form.dials["held_out"].value = "0.25"
    dock.patches.picker.choose([viewer.layers["sem"]])
    qtbot.waitUntil(lambda: dock.training.ready, timeout=5000)
    dock.train.use_folder(tmp_path / "run")
    dock.train.device.value = "cpu"
    dock.train.engine_form.show_settings(TINY)
    dock.train.minutes.value = 0.01
    dock.run_bar.start.click()
    ended = (RunState.COMPLETED, RunState.FAILED)
    qtbot.waitUntil(lambda: dock.training.runner.state in ended, timeout=120_000)
    assert dock.training.runner.state is RunState.COMPLETED, dock.run_bar.status.text()
    dock.gallery.fill()
    qtbot.waitUntil(lambda: dock.training.work.state in ended, timeout=120_000)
    dock.gallery.form.thumbnails.pick([0, 1])
    for button in (dock.gallery.form.between, dock.gallery.form.nearest, dock.gallery.form.slices):
        before = len(viewer.layers)
        button.click()
        qtbot.waitUntil(lambda: not dock.training.work.active, timeout=120_000)
        assert len(viewer.layers) == before + 1, dock.gallery.jobs.status.text()
    between = viewer.layers["styles 0 to 1"].data
    assert between.shape == (16, 16, 16)
    assert np.ptp(between) > 0
    session.shut_down()
    qtbot.wait(50)

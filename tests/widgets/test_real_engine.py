"""The panel with the real engine, once through, on the smallest inputs there are."""

import numpy as np
import pytest

from napari_superres.data.examples import Example
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.widgets.dock import SuperResDock
from napari_superres.widgets.input_roles import SUPER_RES, role_of
from napari_superres.widgets.run_state import RunState
from napari_superres.widgets.samples import example_layers
from napari_superres.widgets.session import Session
from tests.fakes import PHASES


@pytest.fixture
def example():
    grid = np.indices((8, 8, 8)).sum(0) // 2 % 2
    image = np.indices((40, 40)).sum(0) // 5 % 3
    low = SegmentedVolume(grid.astype(np.uint8), PHASES[:2], (0.4,) * 3, "low")
    high = SegmentedSlices(((image.astype(np.uint8),),), PHASES, (0.1,) * 3, "high")
    return Example(low, high, None, None)


def test_the_panel_trains_and_generates_for_real(
    make_napari_viewer_proxy, example, qtbot, tmp_path
):
    viewer = make_napari_viewer_proxy()
    session = Session()
    dock = SuperResDock(viewer, session)
    viewer.window.add_dock_widget(dock)
    dock.data.add_layers(example_layers(example))
    dock.train.use_folder(tmp_path / "run")
    dock.train.minutes.value = 0.01
    for name, value in {"crop": 16, "slices_per_axis": "2", "batch": 1, "channels": 8}.items():
        dock.train.engine_form.dials[name].value = value
    dock.run_bar.start.click()
    ended = (RunState.COMPLETED, RunState.FAILED)
    qtbot.waitUntil(lambda: session.training.state in ended, timeout=120_000)
    assert session.training.state is RunState.COMPLETED, dock.run_bar.status.text()
    dock.generate.generate.click()
    qtbot.waitUntil(lambda: session.generation.state in ended, timeout=120_000)
    (layer,) = [one for one in viewer.layers if role_of(one) == SUPER_RES]
    assert layer.data.shape == (32, 32, 32)
    np.testing.assert_allclose(layer.translate, -0.15)

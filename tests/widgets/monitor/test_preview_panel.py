"""Looking back through the previews of a run, without a viewer."""

from pathlib import Path

import pytest

from napari_superres.events import RolledBack, TrainingStarted
from napari_superres.widgets.monitor.previews import PreviewPanel
from napari_superres.widgets.run.session import Session
from tests.fakes import PHASES, measured, preview


@pytest.fixture
def panel(qtbot, engine):
    panel = PreviewPanel(Session(engine))
    qtbot.addWidget(panel)
    for step in (10, 20, 30, 40):
        shown(panel, step)
    return panel


def shown(panel, step):
    panel.session.fusion.previews.add(preview(step, 3))
    panel.session.fusion.preview_ready.emit(None)


@pytest.mark.parametrize("place", [0, 1])
def test_the_preview_looked_at_stays_when_another_one_comes(panel, place):
    panel.slider.setValue(place)
    shown(panel, 50)
    assert panel.slider.value() == place
    assert panel.caption.text() == f"<b>Previews at step {10 * (place + 1)} of 50</b>"


def test_after_a_roll_back_the_slider_ends_at_the_last_preview_left(panel):
    panel.slider.setValue(1)
    panel.session.fusion.take_event(RolledBack(40, 20, "binder has vanished", 1e-3, 2))
    assert panel.slider.maximum() == 1
    panel.slider.setValue(3)
    assert "step 20" in panel.caption.text()


def test_a_killed_run_goes_on_without_the_previews_after_its_checkpoint(panel):
    started = TrainingStarted(Path(), "cpu", 20, measured(PHASES), 1, 1)
    panel.session.fusion.take_event(started)
    assert panel.session.fusion.previews.steps == [10, 20]
    assert panel.slider.maximum() == 1

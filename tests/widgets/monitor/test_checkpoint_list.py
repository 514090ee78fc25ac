"""The list of checkpoints is that of the run on hand, as it is now."""

import threading
from pathlib import Path

import pytest

from napari_superres.errors import FileError
from napari_superres.scale_factor import parse_scale_factor
from napari_superres.widgets.layers.placement import plain_placement
from napari_superres.widgets.monitor import checkpoints
from napari_superres.widgets.monitor.checkpoints import COLUMNS, CheckpointList, CheckpointRow
from napari_superres.widgets.run.fusion import FusionRun
from napari_superres.widgets.run.session import Session
from tests.fakes import PHASES


def run(name):
    place = plain_placement(None)
    return FusionRun(Path(name), parse_scale_factor(4), PHASES, PHASES[:2], (8, 8, 8), place)


def row(step):
    return CheckpointRow(step, Path(), (str(step),) + ("–",) * (len(COLUMNS) - 1))


@pytest.fixture
def shown(qtbot, engine, monkeypatch):
    monkeypatch.setattr(checkpoints, "read_rows", lambda folder, target: [])
    shown = CheckpointList(Session(engine))
    shown._timer.setInterval(0)
    yield shown  # not with addWidget: it would be gone before its reading ends
    qtbot.waitUntil(lambda: not shown._work.busy, timeout=60_000)
    shown.close()


def test_checkpoints_of_the_run_before_cannot_be_used_with_another_one(shown):
    shown.session.fusion.set_run(run("first"))
    shown.show_rows([row(10)])
    shown.tree.topLevelItem(0).setSelected(True)
    shown.session.fusion.set_run(run("second"))
    assert shown.chosen is None
    assert not shown.use.isEnabled()


def test_what_was_read_first_does_not_come_last(shown, qtbot, monkeypatch):
    go_on, read = threading.Event(), []

    def rows(folder, target):
        read.append(folder.name)
        if len(read) == 1:
            go_on.wait(60)
        return [row(len(read))]

    monkeypatch.setattr(checkpoints, "read_rows", rows)
    shown.session.fusion.set_run(run("first"))
    qtbot.waitUntil(lambda: read == ["first"], timeout=60_000)
    shown._timer.start()
    qtbot.wait(20)
    go_on.set()
    qtbot.waitUntil(lambda: len(shown.rows) == 1, timeout=60_000)
    assert read == ["first", "first"]
    assert shown.rows[0].step == 2


def test_checkpoints_that_cannot_be_read_are_told(shown, qtbot, monkeypatch):
    def damaged(folder, target):
        raise FileError("The checkpoint of step 10 is damaged.")

    monkeypatch.setattr(checkpoints, "read_rows", damaged)
    shown.session.fusion.set_run(run("first"))
    qtbot.waitUntil(lambda: "step 10 is damaged" in shown.note.text(), timeout=60_000)

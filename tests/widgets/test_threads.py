from __future__ import annotations

import threading

import pytest
from qtpy.QtCore import QObject, QThreadPool

from napari_superres.widgets.threads import in_thread

pytestmark = pytest.mark.usefixtures("qapp")


class Receiver(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.outcomes = []

    def take(self, outcome) -> None:
        self.outcomes.append(outcome.value)


@pytest.fixture
def one_core():
    pool = QThreadPool.globalInstance()
    before = pool.maxThreadCount()
    pool.setMaxThreadCount(1)
    yield
    pool.setMaxThreadCount(before)


@pytest.mark.usefixtures("one_core")
def test_short_work_does_not_wait_for_long_work_on_a_machine_with_one_core(qtbot):
    end, receiver = threading.Event(), Receiver()
    in_thread(end.wait, receiver.take, 20)
    in_thread(str, receiver.take, "short")
    qtbot.waitUntil(lambda: bool(receiver.outcomes), timeout=10_000)
    assert receiver.outcomes == ["short"]
    end.set()
    qtbot.waitUntil(lambda: len(receiver.outcomes) == 2, timeout=10_000)

from __future__ import annotations

import threading

import pytest
from qtpy.QtCore import QObject, QThreadPool

from napari_superres.errors import EngineError, OutOfMemoryError
from napari_superres.widgets.jobs.threads import Latest, in_thread

pytestmark = pytest.mark.usefixtures("qapp")


class Receiver(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.outcomes = []

    def take(self, outcome) -> None:
        self.outcomes.append(outcome.value)

    def take_error(self, outcome) -> None:
        self.outcomes.append(outcome.error)


def lost():
    raise FileNotFoundError(2, "No such file or directory", "lazy.tif")


def too_large():
    raise MemoryError


def test_an_error_that_nobody_foresaw_ends_the_wait_and_is_told(qtbot):
    receiver = Receiver()
    in_thread(lost, receiver.take_error)
    qtbot.waitUntil(lambda: bool(receiver.outcomes), timeout=10_000)
    (error,) = receiver.outcomes
    assert isinstance(error, EngineError)
    assert "lazy.tif" in str(error)
    assert isinstance(error.__cause__, FileNotFoundError)


def test_after_an_unforeseen_error_the_next_job_is_done(qtbot):
    latest, told = Latest(), []
    latest.done.connect(told.append)
    latest.ask(too_large)
    qtbot.waitUntil(lambda: not latest.busy, timeout=10_000)
    assert isinstance(told[0].error, OutOfMemoryError)
    latest.ask(str, "next")
    qtbot.waitUntil(lambda: len(told) == 2, timeout=10_000)
    assert told[1].value == "next"


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

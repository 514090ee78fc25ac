from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from napari_superres.cli.common import stop_on_interrupt
from napari_superres.cli.progress import measured_line
from napari_superres.events import Measurement, MetricsMeasured


def test_a_measurement_says_how_far_from_the_target() -> None:
    target = Measurement({"pore": 0.4, "solid": 0.6}, {"pore|solid": 0.10})
    found = Measurement({"pore": 0.5, "solid": 0.5}, {"pore|solid": 0.12}, 0.01)
    line = measured_line(MetricsMeasured(150, found, 0.3, True), target)
    assert "volume fractions off by 0.100" in line
    assert "interface areas by 20.0%" in line
    assert "low-res mismatch 1.0%" in line
    assert line.endswith("best so far")


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C on Windows")
def test_the_first_interrupt_asks_to_stop() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C on Windows")
@pytest.mark.parametrize("error", [RuntimeError("reentrant call"), BrokenPipeError()])
def test_an_interrupt_stops_where_nothing_can_be_said(monkeypatch, error) -> None:
    def refuse(_text: str) -> None:
        raise error

    monkeypatch.setattr(sys, "stderr", SimpleNamespace(write=refuse, flush=lambda: None))
    with stop_on_interrupt() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C on Windows")
def test_the_second_interrupt_kills() -> None:
    code = (
        "import time\nfrom napari_superres.cli.common import stop_on_interrupt\n"
        "with stop_on_interrupt():\n    print('ready', flush=True)\n"
        "    while True: time.sleep(0.05)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "\n"
        assert "Ctrl-C again to kill" in process.stderr.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == -signal.SIGINT


def test_a_two_point_error_stands_beside_what_chance_alone_makes() -> None:
    target = Measurement({"pore": 0.4}, {}, two_point_error=0.02)
    found = Measurement({"pore": 0.5}, {}, 0.01, 0.03, 0.125)
    line = measured_line(MetricsMeasured(150, found, 0.3, False), target)
    assert "two-point 0.0300 (by chance 0.0200)  between axes 12.5%" in line

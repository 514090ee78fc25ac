"""An OpenGL with an LLVM of its own, and torch's triton, in one process."""

import importlib
import importlib.util
import sys

import pytest

from napari_superres.config import Budget
from napari_superres.widgets.jobs import mesa
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.jobs.stream_runner import StreamRunner
from tests.fakes import FakeEngine

SOFTWARE = "7f00-7f01 r-xp 0 fe:00 1 /usr/lib/x86_64-linux-gnu/libLLVM-15.so.1\n"
HARDWARE = "7f00-7f01 r-xp 0 fe:00 1 /usr/lib/x86_64-linux-gnu/libGLX_nvidia.so.0\n"


@pytest.fixture
def triton(tmp_path, monkeypatch):
    """A triton that can be imported, and is not yet."""
    (tmp_path / "triton.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "triton", None)  # for what was there to come back
    del sys.modules["triton"]


@pytest.fixture
def mapped(tmp_path, monkeypatch):
    """The files that the process has mapped, as Linux lists them."""
    maps = tmp_path / "maps"
    monkeypatch.setattr(mesa, "MAPPED_FILES", maps)
    return maps


def test_triton_is_not_found_once_opengl_has_brought_an_llvm(triton, mapped):
    mapped.write_text(HARDWARE + SOFTWARE)
    assert mesa.keep_triton_out()
    assert importlib.util.find_spec("triton") is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("triton")


def test_triton_stays_where_the_driver_needs_no_llvm(triton, mapped):
    mapped.write_text(HARDWARE)
    assert not mesa.keep_triton_out()
    assert importlib.util.find_spec("triton") is not None


def test_triton_that_came_first_stays(triton, mapped):
    mapped.write_text(SOFTWARE)
    module = importlib.import_module("triton")
    assert not mesa.keep_triton_out()
    assert sys.modules["triton"] is module


def test_without_a_list_of_mapped_files_nothing_is_done(triton, mapped):
    assert not mesa.keep_triton_out()
    assert importlib.util.find_spec("triton") is not None


def test_a_stream_of_the_panel_begins_without_triton(qtbot, tmp_path, triton, mapped):
    mapped.write_text(SOFTWARE)
    runner, found = StreamRunner(), []

    def stream(stop):
        found.append(importlib.util.find_spec("triton"))
        return FakeEngine().resume(tmp_path, Budget(), stop)

    runner.start("training", stream)
    qtbot.waitUntil(lambda: runner.state is RunState.COMPLETED, timeout=5000)
    assert found == [None]

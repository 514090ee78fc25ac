from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest

from napari_superres.cli import panel
from napari_superres.demo import DemoPlan


@pytest.fixture
def perfect_engine(engine, monkeypatch):
    """Let the fake engine generate the truth."""
    generate = engine.generate

    def generate_truth(run, settings, low_res=None, output=None, stop=None):
        shutil.copy(output.with_name("truth.tif"), output)
        yield from generate(run, settings, low_res, output, stop)

    render = sys.modules["napari_superres.generation.render"]
    monkeypatch.setattr(render, "generate", generate_truth)
    return engine


def test_the_demo_leaves_volume_picture_and_numbers(cli, perfect_engine, tmp_path) -> None:
    output = tmp_path / "demo"
    result = cli("demo", "--no-gui", "--output", output, "--size", 64, "--minutes", 0.5)
    assert result.status == 0, result.err
    names = {path.name for path in output.iterdir()}
    assert names == {
        *("low-res.tif", "high-res.tif", "truth.tif"),
        *("super-res.tif", "comparison.png", "numbers.json"),
    }
    assert perfect_engine.training[0]["budget"].minutes == 0.5
    assert perfect_engine.training[0]["run"] == output / "run"


def test_the_demo_judges_the_volume_against_truth_and_slices(cli, perfect_engine, tmp_path) -> None:
    output = tmp_path / "demo"
    result = cli("demo", "--no-gui", "--output", output, "--size", 64)
    numbers = json.loads((output / "numbers.json").read_text())
    assert numbers["differences"]["super_res_truth"]["volume_fraction_error"] == 0
    assert numbers["low_res_mismatch"] == 0
    assert set(numbers["seconds"]) == {"example", "training", "generation"}
    assert "Against the 3D truth:" in result.out
    assert "steps were done: the machine is slow" in result.out


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C on Windows")
def test_an_interrupted_demo_keeps_the_run_and_ends_with_130(cli, engine, tmp_path) -> None:
    engine.during = lambda: os.kill(os.getpid(), signal.SIGINT)
    result = cli("demo", "--no-gui", "--output", tmp_path / "demo", "--size", 64)
    assert result.status == 130
    assert f"napari-superres resume {tmp_path / 'demo' / 'run'}" in result.out


def test_the_demo_refuses_a_folder_with_something_in_it(cli, engine, tmp_path) -> None:
    (tmp_path / "thesis.doc").touch()
    result = cli("demo", "--no-gui", "--output", tmp_path)
    assert result.status == 2
    assert "is not empty" in result.err


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C on Windows")
def test_without_an_output_a_free_folder_is_taken(cli, engine, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("superres-demo").mkdir()
    engine.during = lambda: os.kill(os.getpid(), signal.SIGINT)
    cli("demo", "--no-gui", "--size", 64)
    assert engine.training[0]["run"] == Path("superres-demo-2") / "run"


def test_with_a_display_the_demo_runs_in_napari(cli, tmp_path, monkeypatch) -> None:
    launched = []
    app = ModuleType("napari_superres.widgets.app")
    app.launch = lambda **asked: launched.append(asked)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, app.__name__, app)
    monkeypatch.setattr(panel, "napari_is_installed", lambda: True)
    monkeypatch.setattr(panel, "window_can_open", lambda: True)
    assert cli("demo", "--output", tmp_path / "demo", "--minutes", 2).status == 0
    plan = DemoPlan(tmp_path / "demo", minutes=2)
    assert launched == [{"demo": plan, "close_when_done": False}]

"""A generation that is killed, or finds the disk full, goes on with the same command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.fusion.materials import new_run
from tests.generation.networks import LIGHT, low_res, mixed_generator

from napari_superres.cli import main
from napari_superres.config import Preset, TrainingSettings
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.runs.checkpoints import save_checkpoint
from napari_superres.writing.journal import unfinished_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
KINDS = [".tif", ".zarr"]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run whose volume is written in four blocks of a TIFF, eight of a zarr."""
    volume = SegmentedVolume.from_labels(low_res((33, 33, 33)))
    slices = SegmentedSlices.from_labels([[np.arange(64, dtype=np.uint8).reshape(8, 8) % 3]])
    settings = TrainingSettings(
        scale_factor=4, phase_map={0: 0, 1: 1, 2: 0}, preset=Preset.QUICK, engine=LIGHT
    )
    folder = new_run(tmp_path_factory.mktemp("killed") / "run", volume, slices, settings)
    weights = mixed_generator("4").state_dict()
    save_checkpoint(folder.path / "checkpoints", weights, {}, {"step": 1, "score": 0.0})
    return folder.path


def command(run: Path, output: Path) -> list[str]:
    options = ["--output", str(output), "--device", "cpu", "--precision", "float32"]
    return [sys.executable, "-m", "napari_superres", "generate", str(run), *options]


def generate(run: Path, output: Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(run, output), capture_output=True, text=True, check=False, **options
    )


@pytest.fixture(scope="module")
def whole(run) -> dict[str, Path]:
    """The files of uninterrupted generations."""
    files = {kind: run.parent / f"whole{kind}" for kind in KINDS}
    for output in files.values():
        assert main(command(run, output)[3:]) == 0
    return files


def contents(path: Path) -> dict[str, bytes]:
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    found = {str(file.relative_to(path)): file.read_bytes() for file in files}
    if path.is_dir():  # the name of the volume stands in its metadata
        found["zarr.json"] = found["zarr.json"].replace(f'"{path.stem}"'.encode(), b'"name"')
    return found


def wait_for_a_block(process: subprocess.Popen[str], output: Path) -> None:
    """Wait until a block is written and its line, too, which the file exists before."""
    done = unfinished_folder(output) / "done"
    while process.poll() is None and not (done.exists() and "\n" in done.read_text()):
        time.sleep(0.002)


def kill_once_a_block_is_written(run: Path, output: Path) -> None:
    process = subprocess.Popen(command(run, output), stderr=subprocess.DEVNULL, text=True)
    wait_for_a_block(process, output)
    process.kill()
    assert process.wait() == -signal.SIGKILL


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_command_given_again_makes_the_same_file(run, whole, tmp_path, kind):
    output = tmp_path / f"cut{kind}"
    kill_once_a_block_is_written(run, output)
    assert not output.exists()
    written = (unfinished_folder(output) / "done").read_text().count("\n")
    assert 0 < written < {".tif": 4, ".zarr": 8}[kind]
    again = generate(run, output)
    assert again.returncode == 0, again.stderr
    assert contents(output) == contents(whole[kind])
    assert os.listdir(tmp_path) == [output.name]


def test_a_file_that_cannot_grow_is_one_clear_error_and_can_be_continued(run, whole, tmp_path):
    resource = pytest.importorskip("resource")
    output = tmp_path / "full.tif"
    limit = 132 * 132 * 128 + 1000  # the first two blocks fit, the third does not

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    full = generate(run, output, preexec_fn=no_room)
    assert full.returncode == 2
    assert "cannot be written" in full.stderr
    assert "same command again to continue" in full.stderr
    assert "Traceback" not in full.stderr
    assert not output.exists()
    assert (unfinished_folder(output) / "done").read_text().split() == ["0", "1"]
    again = generate(run, output)
    assert again.returncode == 0, again.stderr
    assert contents(output) == contents(whole[".tif"])


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(run, tmp_path):
    output = tmp_path / "sr.tif"
    process = subprocess.Popen(
        command(run, output), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for_a_block(process, output)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    assert process.returncode == 130
    assert "the same command goes on with it" in out

"""What a beginning that was killed leaves, and who may take it up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_superres.errors import OutputError
from napari_superres.runs.config import FUSION, RunConfig
from napari_superres.runs.discard import discard
from napari_superres.runs.new_folder import MARK, is_free, new_run_folder
from napari_superres.runs.run import Run
from tests.fusion.materials import new_run, tiny_pair, tiny_settings

PAIR = tiny_pair()
KILLED = """
import os, signal, sys
from napari_superres.runs.new_folder import new_run_folder
with new_run_folder(sys.argv[1]) as folder:
    (folder / "inputs" / "half.tif").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def create(path: Path) -> Run:
    return new_run(path, PAIR.low_res, PAIR.high_res, tiny_settings())


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL on Windows")
def test_a_run_killed_while_it_was_made_is_made_again_by_the_same_command(tmp_path: Path) -> None:
    path = tmp_path / "run"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert (path / "inputs" / "half.tif").exists()
    run = create(path)
    assert sorted(file.name for file in (path / "inputs").iterdir()) == sorted(
        run.config.input_hashes
    )
    assert Run.open(path, FUSION).low_res().shape == (14, 13, 12)
    assert sorted(file.name for file in path.iterdir()) == ["checkpoints", "config.json", "inputs"]


def test_a_run_that_could_not_be_made_is_made_at_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutputError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(RunConfig, "write", full)
        with pytest.raises(OutputError, match="full"):
            create(tmp_path / "run")
    assert create(tmp_path / "run").low_res().shape == (14, 13, 12)


def test_a_run_that_is_being_made_is_refused_to_others(tmp_path: Path) -> None:
    with new_run_folder(tmp_path / "run") as folder:
        (folder / "inputs" / "ours.tif").write_text("ours")
        with pytest.raises(OutputError, match="another process is making it"):
            create(folder)
        assert (folder / "inputs" / "ours.tif").read_text() == "ours"


def test_other_files_in_folders_of_the_same_names_stay(tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "ct.tif").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        create(tmp_path)
    assert (tmp_path / "inputs" / "ct.tif").read_text() == "mine"


def test_checkpoints_are_never_taken_for_what_an_interrupted_beginning_left(
    tmp_path: Path,
) -> None:
    run = create(tmp_path / "run")
    (run.path / MARK).touch()
    (run.path / "checkpoints" / "step-0000001").mkdir()
    (run.path / "config.json").unlink()
    assert not is_free(run.path)
    with pytest.raises(OutputError, match="not empty"):
        create(run.path)
    assert (run.path / "checkpoints" / "step-0000001").is_dir()


def test_a_run_killed_before_it_took_its_mark_away_is_a_run_and_can_be_discarded(
    tmp_path: Path,
) -> None:
    run = create(tmp_path / "run")
    (run.path / MARK).touch()
    with pytest.raises(OutputError, match="resume the run"):
        create(run.path)
    assert discard(run.path) == ()
    assert not run.path.exists()

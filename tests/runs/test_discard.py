import json
import os
import shutil
import socket

import psutil
import pytest

from napari_superres.errors import OutputError, RunFolderError
from napari_superres.runs.discard import discard, holdings
from napari_superres.runs.lock import began


@pytest.fixture
def run(tmp_path):
    run = tmp_path / "run"
    for folder in ("inputs", "checkpoints/step-0000010", "previews"):
        (run / folder).mkdir(parents=True)
    (run / "config.json").write_text("{}")
    (run / "checkpoints/step-0000010/generator.safetensors").write_bytes(bytes(3 * 2**20))
    return run


def test_a_run_is_deleted_with_its_folder(run):
    assert discard(run) == ()
    assert not run.exists()


def test_what_the_run_did_not_make_stays(run):
    (run / "super-res.tif").write_text("a volume")
    assert holdings(run).others == ("super-res.tif",)
    assert discard(run) == ("super-res.tif",)
    assert [path.name for path in run.iterdir()] == ["super-res.tif"]


def test_what_killed_processes_left_goes_with_the_run(run):
    for name in (".run.lock.6f1e", ".config.json.4711.partial", ".metrics.jsonl.4711.partial"):
        (run / name).write_text("{")
    assert discard(run) == ()
    assert not run.exists()


def test_it_reports_how_much_would_be_deleted(run):
    found = holdings(run)
    assert found.checkpoints == 1
    assert found.size.startswith("3")


def test_a_checkpoint_dropped_while_it_is_counted_is_no_fault(run, monkeypatch):
    walk = os.walk

    def walk_then_drop(folder):
        found = list(walk(folder))
        shutil.rmtree(run / "checkpoints/step-0000010", ignore_errors=True)
        return found

    monkeypatch.setattr(os, "walk", walk_then_drop)
    assert holdings(run).own == len("{}")


def refuse(path):
    raise PermissionError(13, "Permission denied", str(path))


def test_a_folder_that_cannot_be_read_is_reported(run, monkeypatch):
    monkeypatch.setattr(os, "lstat", refuse)
    with pytest.raises(RunFolderError, match="Permission denied"):
        holdings(run)


def test_a_folder_that_is_no_run_is_never_touched(tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(RunFolderError, match="no run"):
        discard(tmp_path)
    assert (tmp_path / "thesis.docx").exists()


def test_a_run_that_another_process_trains_is_not_deleted(run):
    parent = psutil.Process(os.getppid())
    owner = {"host": socket.gethostname(), "pid": parent.pid, "began": began(parent)}
    (run / "run.lock").write_text(json.dumps(owner))
    with pytest.raises(RunFolderError, match="in use"):
        discard(run)
    assert (run / "config.json").exists()


def test_what_cannot_be_deleted_is_reported(run, monkeypatch):
    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(OutputError, match="Permission denied"):
        discard(run)
    assert (run / "config.json").exists()

"""Two processes on the CPU, as torchrun starts them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from napari_superres.config import Budget
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.errors import EngineError
from napari_superres.fusion.training import resume
from napari_superres.runs.checkpoints import load_tensors
from napari_superres.runs.config import FUSION
from napari_superres.runs.run import Run
from napari_superres.training import distributed
from tests.fusion.materials import TINY, tiny_pair
from tests.training.two_processes import fixed_trainer, gradients

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or not torch.distributed.is_gloo_available(),
    reason="torch was built without gloo",
)


def both(*arguments: object) -> list[subprocess.CompletedProcess[str]]:
    """Run the same command in two processes that know of each other."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)],
            env=os.environ | together | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    done = []
    for process in started:
        out, err = process.communicate(timeout=300)
        done.append(subprocess.CompletedProcess(process.args, process.returncode, out, err))
    return done


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run of two processes and what they left beside it."""
    folder = tmp_path_factory.mktemp("two_processes")
    for done in both("tests.training.two_processes", "train", folder):
        assert done.returncode == 0, done.stderr
    return folder


def test_averaged_gradients_are_those_of_one_process_with_the_double_batch(
    tmp_path: Path,
) -> None:
    for done in both("tests.training.two_processes", "gradients", tmp_path):
        assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"gradients-{rank}.pt") for rank in range(2))
    alone = gradients(fixed_trainer(), slice(0, 4))
    assert set(first) == set(alone)
    for name, wanted in alone.items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], wanted, rtol=1e-4, atol=1e-6)


def test_clocks_that_differ_do_not_part_the_weights(tmp_path: Path) -> None:
    for done in both("tests.training.two_processes", "minutes", tmp_path):
        assert done.returncode == 0, done.stderr
    (first, _), (second, _) = (torch.load(tmp_path / f"weights-{rank}.pt") for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_two_processes_train_to_equal_weights_and_the_first_speaks_for_both(trained: Path) -> None:
    (first, random_0), (second, random_1) = (
        torch.load(trained / f"weights-{rank}.pt") for rank in range(2)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(random_0, random_1)
    assert (trained / "events-1.txt").read_text().split() == ["TrainingFinished"]
    assert "MetricsMeasured" in (trained / "events-0.txt").read_text()
    run = Run.open(trained / "run", FUSION)
    assert [line["step"] for line in run.measurements()] == [2, 4]
    kept = load_tensors(run.find_checkpoint("last").folder, "training")
    assert torch.equal(kept["random"], random_0)
    assert torch.equal(kept["random1"], random_1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have no names elsewhere")
def test_no_thread_of_the_group_outlives_the_training(trained: Path) -> None:
    for rank in range(2):
        names = (trained / f"threads-{rank}.txt").read_text().split()
        assert not [name for name in names if "gloo" in name or "tcpstore" in name]


def test_a_run_of_two_processes_is_resumed_by_one(trained: Path, tmp_path: Path) -> None:
    run = shutil.copytree(trained / "run", tmp_path / "run")
    *_, last = resume(run, Budget(steps=6))
    assert last.step == 6  # type: ignore[union-attr]


def test_when_one_process_fails_the_other_saves_and_ends(tmp_path: Path) -> None:
    first, second = both("tests.training.two_processes", "fail", tmp_path)
    assert first.returncode != 0
    assert "Another process of this training failed" in first.stderr
    assert second.returncode != 0
    assert "OutOfMemoryError" in second.stderr
    assert Run.open(tmp_path / "run", FUSION).find_checkpoint("last").step >= 1


@pytest.mark.parametrize("kind", ["synthesis", "translation"])
def test_two_processes_train_from_images_to_equal_weights(kind: str, tmp_path: Path) -> None:
    first, second = both("tests.training.two_processes", kind, tmp_path)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    one, other = (torch.load(tmp_path / f"weights-{rank}.pt") for rank in (0, 1))
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_the_command_line_trains_in_two_processes(tmp_path: Path) -> None:
    pair = tiny_pair()
    write_labels_tiff(tmp_path / "low.tif", pair.low_res.values, voxel_size=(0.2,) * 3)
    write_labels_tiff(tmp_path / "high.tif", pair.high_res.sets[0][0][None], voxel_size=(0.1,) * 3)
    small = [
        f"--set={name}={getattr(TINY, name)}"
        for name in ("channels", "max_channels", "crop", "slices_per_axis")
    ]
    first, second = both(
        *["napari_superres", "train", "--low-res", tmp_path / "low.tif"],
        *["--high-res", tmp_path / "high.tif", "--phase-map", "0:0,1:1,2:0", *small],
        *["--steps", 2, "--run", tmp_path / "run", "--device", "cpu"],
    )
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "Done at step 2" in first.stdout
    assert second.stdout == ""


def test_processes_that_do_not_find_each_other_are_one_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with (
        pytest.raises(EngineError, match=r"do not find each other: .*RANK.*with torchrun"),
        distributed.joined("cpu"),
    ):
        pass


def test_alone_nothing_is_averaged() -> None:
    tensor = torch.arange(3.0)
    assert distributed.mean_over_ranks(tensor) is tensor
    assert (distributed.size(), distributed.rank(), distributed.largest(3)) == (1, 0, 3)

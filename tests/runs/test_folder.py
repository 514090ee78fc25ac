from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_superres.errors import OutputError, RunFolderError
from napari_superres.runs.checkpoints import load_tensors, save_checkpoint
from napari_superres.runs.config import FUSION
from napari_superres.runs.run import Run
from napari_superres.synthesis.settings import SYNTHESIS, SynthesisSettings
from tests.fusion.materials import new_run, tiny_pair, tiny_settings

PAIR = tiny_pair()
WEIGHTS = {"w": torch.arange(6.0).reshape(2, 3)}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return new_run(tmp_path / "run", PAIR.low_res, PAIR.high_res, tiny_settings())


def save(run: Run, step: int, score: float | None = None) -> Path:
    return save_checkpoint(
        run.path / "checkpoints", WEIGHTS, WEIGHTS, {"step": step, "score": score}
    )


def test_a_run_gives_back_its_settings_and_inputs(run: Run) -> None:
    low_res, high_res = PAIR.low_res, PAIR.high_res
    again = Run.open(run.path, FUSION)
    assert again.settings == tiny_settings()
    np.testing.assert_array_equal(again.low_res().labels, low_res.labels)
    np.testing.assert_array_equal(again.high_res().sets[0][0], high_res.sets[0][0])
    assert again.low_res().voxel_size == low_res.voxel_size
    assert again.high_res().phases == high_res.phases


def test_a_volume_of_one_plane_comes_back_as_a_volume(tmp_path: Path) -> None:
    low_res, high_res = PAIR.low_res, PAIR.high_res
    plane = replace(low_res, labels=low_res.labels[:1].copy())
    run = new_run(tmp_path / "run", plane, high_res, tiny_settings())
    np.testing.assert_array_equal(run.low_res().labels, plane.labels)


def test_a_moved_run_needs_nothing_from_where_it_was(run: Run, tmp_path: Path) -> None:
    shutil.move(run.path, tmp_path / "elsewhere")
    assert Run.open(tmp_path / "elsewhere", FUSION).low_res().shape == (14, 13, 12)


def test_a_folder_that_another_process_has_just_taken_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "iterdir", lambda folder: iter(()))  # as it was a moment ago
    with pytest.raises(OutputError, match=r"not empty.*resume the run"):
        new_run(run.path, PAIR.low_res, PAIR.high_res, tiny_settings())


def test_a_folder_that_holds_no_run_is_not_offered_for_resuming(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"Choose another\.$"):
        new_run(tmp_path, PAIR.low_res, PAIR.high_res, tiny_settings())


def test_the_best_checkpoint_is_the_one_of_lowest_score(run: Run) -> None:
    for step, score in ((10, 3.0), (20, 1.0), (30, 2.0), (40, None)):
        save(run, step, score)
    assert run.find_checkpoint("best").step == 20
    assert run.find_checkpoint("last").step == 40
    assert run.find_checkpoint("30").step == 30


def test_old_checkpoints_go_but_the_best_stays(run: Run) -> None:
    for step in range(1, 8):
        save(run, step, 0.0 if step == 2 else 1.0)
    assert [info.step for info in run.checkpoints()] == [2, 5, 6, 7]


def test_weights_come_back_as_they_were(run: Run) -> None:
    folder = save(run, 1)
    assert torch.equal(load_tensors(folder, "generator")["w"], WEIGHTS["w"])


def test_a_checkpoint_cut_short_is_not_seen(run: Run) -> None:
    save(run, 1)
    (run.path / "checkpoints" / ".step-0000002.part").mkdir()
    half = run.path / "checkpoints" / "step-0000003"
    half.mkdir()
    (half / "state.json").write_text('{"step": 3, "sc')
    assert run.find_checkpoint("last").step == 1


def test_damaged_weights_are_named(run: Run) -> None:
    folder = save(run, 1)
    (folder / "generator.safetensors").write_bytes(b"\x08" + b"\0" * 7 + b"{broken}")
    with pytest.raises(RunFolderError, match=r"generator\.safetensors"):
        load_tensors(folder, "generator")


def test_a_checkpoint_that_cannot_be_written_leaves_the_earlier_ones(run: Run) -> None:
    save(run, 1)
    (run.path / "checkpoints" / ".step-0000002.part").write_text("in the way")
    with pytest.raises(OutputError, match="step 2"):
        save(run, 2)
    assert run.find_checkpoint("last").step == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ not json", "damaged"),
        ("[1, 2]", "damaged"),
        ('{"format_version": 99}', "format version 99"),
        ('{"format_version": 1}', "does not fit"),
        ('{"format_version": 1, "kind": "synthesis"}', "one of synthesis.*fusion is needed"),
        ('{"format_version": 1, "versions": {"napari-superres-fusion": "9.9"}}', r"made by 9\.9"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(run: Run, text: str, said: str) -> None:
    (run.path / "config.json").write_text(text)
    with pytest.raises(RunFolderError, match=said):
        Run.open(run.path, FUSION)


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan"), 1e300])
def test_a_config_with_a_size_that_no_voxel_has_is_refused(run: Run, size: float) -> None:
    config = json.loads((run.path / "config.json").read_text())
    config["high_res_voxel_size"] = [0.1, 0.1, size]
    (run.path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunFolderError, match=r"does not fit.*high_res_voxel_size"):
        Run.open(run.path, FUSION)


def test_a_folder_without_config_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no run folder"):
        Run.open(tmp_path, FUSION)


def test_a_run_without_checkpoint_says_so(run: Run) -> None:
    with pytest.raises(RunFolderError, match="no checkpoint yet"):
        run.find_checkpoint()


def test_a_metrics_line_cut_short_is_left_out(run: Run) -> None:
    run.append_line({"step": 1, "score": 2.0})
    with open(run.path / "metrics.jsonl", "a") as file:
        file.write('{"step": 2, "sc')
    assert run.measurements() == [{"step": 1, "score": 2.0}]


def test_config_is_plain_json_with_versions_and_hashes(run: Run) -> None:
    config = json.loads((run.path / "config.json").read_text())
    assert config["settings"]["scale_factor"] == "2"
    assert set(config["input_hashes"]) == {"low_res.tif", "high_res-0-0000.tif"}
    assert "torch" in config["versions"]


def test_a_run_of_images_reports_its_version_before_what_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"format_version": 2, "kind": "synthesis", "new": 1}')
    with pytest.raises(RunFolderError, match="format version 2"):
        Run.open(tmp_path, SYNTHESIS)


def test_a_line_without_a_score_is_no_measurement_of_a_run_of_images(tmp_path: Path) -> None:
    lines = ({"step": 1}, {"step": 2, "score": 0.5}, {"step": 3, "score": 0.4})
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = Run.create(tmp_path / "run", SYNTHESIS, SynthesisSettings(), {})
    shutil.copy(tmp_path / "metrics.jsonl", run.path)
    assert [line["step"] for line in run.measurements()] == [2, 3]

"""What a generation will give and need, told before it starts."""

from fractions import Fraction
from pathlib import Path

import pytest

from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box
from napari_superres.errors import SettingsError
from napari_superres.widgets.generate import plan
from napari_superres.widgets.generate.plan import (
    checkpoint_names,
    holds_realisations,
    plan_text,
    result_files,
    start_of,
)
from napari_superres.widgets.layers.geometry import format_region, parse_region
from napari_superres.widgets.layers.placement import plain_placement
from napari_superres.widgets.parts.paths import Target, free_path, target_of
from napari_superres.widgets.run.fusion import FusionRun

RUN = FusionRun(
    Path("run"), (Fraction(4),) * 3, (), (), (100, 100, 100), plain_placement(None), True
)
WHOLE = GenerationSettings()


def test_a_volume_in_memory_tells_its_size_and_the_memory_for_it():
    told = plan_text(RUN, WHOLE, free_memory=8 * 2**30)
    assert told == "Gives 400 × 400 × 400 voxels, 122 MiB of memory; 8.0 GiB are free."


def test_too_much_for_memory_is_better_written_to_disk():
    assert "Better write it to disk" in plan_text(RUN, WHOLE, Target(9), 2 * 2**30)
    assert "9 × 400 × 400 × 400" in plan_text(RUN, WHOLE, Target(9), 2 * 2**30)


def test_room_on_disk_is_compared_with_what_is_free(tmp_path, monkeypatch):
    target = Target(1, tmp_path / "sr.tif")
    monkeypatch.setattr(plan, "free_disk", lambda _: 2**30)
    assert ", 79 MiB of disk while it is written" in plan_text(RUN, WHOLE, target)
    assert "1.0 GiB are free" in plan_text(RUN, WHOLE, target)
    assert "too little" not in plan_text(RUN, WHOLE, target)
    assert "too little" in plan_text(RUN, WHOLE, Target(20, tmp_path / "sr.tif"))


def test_a_missing_folder_is_told(tmp_path):
    assert "no folder" in plan_text(RUN, WHOLE, Target(1, tmp_path / "none" / "sr.zarr"))


def test_a_region_starts_where_it_was_asked_for():
    region = ((10, 20), (0, 100), (30, 40))
    settings = WHOLE.replace(region=region)
    assert start_of(RUN, settings) == (10, 0, 30)
    assert plan_text(RUN, settings, free_memory=2**33).startswith("Gives 40 × 400 × 40 voxels")
    assert parse_region(format_region(Box((10, 0, 30), (20, 100, 40))), (100,) * 3) == region


def test_results_go_where_the_dials_say():
    assert target_of(3, "", "ignored.tif") == Target(3)
    assert target_of(1, ".zarr", "/data/sr") == Target(1, Path("/data/sr.zarr"))
    assert target_of(1, ".tif", "/data/sr.tiff") == Target(1, Path("/data/sr.tiff"))
    for text in ("", "/data/sr.zarr"):
        with pytest.raises(SettingsError):
            target_of(1, ".tif", text)


@pytest.mark.parametrize("text", ["/", ".", "./"])
def test_the_first_letter_of_a_path_is_no_file_yet(text):
    with pytest.raises(SettingsError, match="names a folder"):
        target_of(1, ".zarr", text)


def test_checkpoints_on_disk_can_be_chosen_by_step(tmp_path):
    for name in ("step-0000100", "step-0000020", "half-made", ".step-0000300.partial"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    assert checkpoint_names(tmp_path) == ["best", "last", "100", "20"]
    (tmp_path / "checkpoints/left-step-0000100").mkdir()
    (tmp_path / "checkpoints/left-step-0000100-2").mkdir()
    left = ["100-left", "100-left2"]
    assert checkpoint_names(tmp_path) == ["best", "last", "100", *left, "20"]
    assert checkpoint_names(tmp_path / "none") == ["best", "last"]


def test_finished_results_keep_their_names_and_unfinished_realisations_go_on(tmp_path):
    path = tmp_path / "sr.zarr"
    assert free_path(path) == path
    for name in ("sr.zarr", "sr-2.zarr", "sr"):
        (tmp_path / name).mkdir()
    assert free_path(path).name == "sr-3.zarr"
    assert free_path(path, holds_realisations) == path
    (tmp_path / "sr" / "spread.json").touch()
    assert free_path(path, holds_realisations).name == "sr-2.zarr"


def test_of_realisations_the_most_likely_phases_come_last(tmp_path):
    for name in ("seed-10.tif", "seed-9.tif", "most-likely.tif", "agreement.tif", "spread.json"):
        (tmp_path / name).touch()
    names = [file.name for file in result_files(tmp_path, (9, 10), ".tif")]
    assert names == ["agreement.tif", "seed-9.tif", "seed-10.tif", "most-likely.tif"]
    assert result_files(tmp_path / "sr.zarr", (0,), ".zarr") == [tmp_path / "sr.zarr"]


def test_realisations_of_another_generation_in_the_folder_stay_closed(tmp_path):
    for name in ("seed-0.tif", "seed-1.tif", "seed-7.tif", "seed-0.zarr", "most-likely.zarr"):
        (tmp_path / name).touch()
    names = [file.name for file in result_files(tmp_path, (0, 1), ".tif")]
    assert names == ["seed-0.tif", "seed-1.tif"]

"""Bad input gets one clear line, status 2, and nothing is started."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_superres.data.files.tiff import write_labels_tiff

MAP = ["--phase-map", "0:0,1:1,2:0"]


def grey(path: Path) -> None:
    values = np.arange(200, dtype=np.uint8)
    tifffile.imwrite(path, np.resize(values, (24, 24, 24) if path.stem == "low" else (64, 64)))


def colours(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((64, 64, 3), np.uint8), photometric="rgb")


def flat(path: Path) -> None:
    tifffile.imwrite(path, np.tile(np.uint8([0, 1]), (24, 12)))


def tiny(path: Path) -> None:
    labels = np.resize(np.uint8([0, 1, 2]), (1, 12, 12))
    write_labels_tiff(path, labels, voxel_size=(0.1, 0.1, 0.1))


def one_phase(path: Path) -> None:
    write_labels_tiff(path, np.zeros((1, 64, 64), np.uint8), voxel_size=(0.1, 0.1, 0.1))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def text(path: Path) -> None:
    path.write_text("not an image")


def missing(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("file", "spoil", "said"),
    [
        ("low", grey, "200 different values: a greyscale image"),
        ("high", grey, "200 different values: a greyscale image"),
        ("low", colours, "colour image"),
        ("high", colours, "colour image"),
        ("low", flat, "2 axes"),
        ("high", tiny, "12"),
        ("high", one_phase, "At least two phases are needed"),
        ("low", empty, "is empty, 0 bytes"),
        ("low", truncated, "truncated"),
        ("high", truncated, "truncated"),
        ("low", text, "no TIFF"),
        ("high", missing, "There is no file"),
    ],
)
def test_a_bad_file_is_one_line(
    cli, pair, engine, file: str, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(pair.low_res if file == "low" else pair.high_res)
    expect_one_line(cli("train", *pair.options, *MAP, "--scale-factor", 4), said)
    assert engine.training == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--phase-map", "0:0,1:0,2:0"], "No high-res phase belongs to low-res (1)"),
        (["--phase-map", "0:0,1:1"], "says nothing of high-res (2)"),
        (["--phase-map", "0:0,1:1,2:7"], "points to low-res (7)"),
        (["--phase-map", "zero:one"], "Pairs of label values are needed"),
        ([*MAP, "--scale-factor", "2"], "voxel size"),
        ([*MAP, "--scale-factor", "40"], "outside 1 to 16"),
        ([*MAP, "--scale-factor", "4,4"], "has 2 parts"),
        ([*MAP, "--one-sided", "9"], "9"),
        ([*MAP, "--anisotropic"], "needs three"),
        ([*MAP, "--blur-kernel", "4"], "odd"),
        ([*MAP, "--steps", "0"], "steps"),
        ([*MAP, "--set", "crop=7"], "crop"),
        ([*MAP, "--seed", "-1"], "seed"),
    ],
)
def test_settings_that_cannot_work_are_one_line(
    cli, pair, engine, options: list[str], said: str
) -> None:
    small = ["--set", "crop=16"] if "--set" not in options else []
    expect_one_line(cli("train", *pair.options, *small, *options), said)
    assert engine.training == []


def test_fewer_phases_in_the_slice_than_in_the_volume_is_one_line(cli, pair, engine) -> None:
    labels = np.resize(np.uint8([0, 1, 2]), (12, 12, 12))
    write_labels_tiff(pair.low_res, labels, voxel_size=(0.4, 0.4, 0.4))
    labels = np.resize(np.uint8([0, 1]), (1, 64, 64))
    write_labels_tiff(pair.high_res, labels, voxel_size=(0.1, 0.1, 0.1))
    result = cli("train", *pair.options, "--set", "crop=16")
    expect_one_line(result, "The slice needs at least as many")


def test_a_low_res_volume_smaller_than_a_crop_is_one_line(cli, pair, engine) -> None:
    result = cli("train", *pair.options, *MAP, "--set", "crop=64")
    expect_one_line(result, "12")


@pytest.mark.parametrize("command", ["resume", "generate"])
@pytest.mark.parametrize("config", [None, "{", "[]", json.dumps({"format_version": 999})])
def test_a_folder_that_is_no_run_of_this_version_is_one_line(
    cli, tmp_path, command: str, config: str | None
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    if config is not None:
        (run / "config.json").write_text(config)
    expect_one_line(cli(command, run), "run")


def test_a_run_folder_that_is_not_empty_is_one_line(cli, pair, tmp_path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.doc").touch()
    result = cli("train", *pair.options, *MAP, "--set", "crop=16", "--run", tmp_path / "run")
    expect_one_line(result, "run")


def test_a_run_folder_that_cannot_be_made_is_one_line(cli, pair, tmp_path) -> None:
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "run"
    result = cli("train", *pair.options, *MAP, "--set", "crop=16", "--run", target, "--steps", 1)
    expect_one_line(result, "file")


@pytest.mark.parametrize("place", ["", "no/such/folder/volume.tif"])
def test_an_output_that_cannot_be_written_is_one_line(cli, pair, tmp_path, place: str) -> None:
    result = cli(
        *["simulate-low-res", pair.low_res, "--scale-factor", 2, "--output", tmp_path / place]
    )
    expect_one_line(result, str(tmp_path))


@pytest.mark.parametrize("name", ["low.zarr", "low.npy", "low"])
def test_a_simulated_volume_of_another_kind_than_tiff_is_one_line(cli, pair, name: str) -> None:
    output = pair.low_res.with_name(name)
    result = cli("simulate-low-res", pair.low_res, "--scale-factor", 2, "--output", output)
    expect_one_line(result, "A .tif file is written")
    assert not output.exists()


@pytest.mark.parametrize(
    "command",
    [
        ["measure", "{}.tif"],
        ["simulate-low-res", "{pair.low_res}", "--scale-factor", "2", "--output", "{}.tif"],
        ["synthesise", "train", "--images", "{}.tif"],
        ["train", "--low-res", "{}.tif", "--high-res", "{pair.high_res}"],
        ["resume", "{}"],
        ["generate", "{}"],
        ["synthesise", "sample", "{}", "--output", "a.tif"],
    ],
    ids=lambda command: command[0],
)
def test_a_name_that_no_file_can_have_is_one_line(cli, pair, command: list[str]) -> None:
    name = "n" * 300
    expect_one_line(cli(*(word.format(name, pair=pair) for word in command)), "n" * 300)


@pytest.mark.parametrize(
    ("option", "value"), [("--seed", 2**31), ("--minutes", "inf"), ("--minutes", "nan")]
)
def test_what_a_demo_cannot_be_asked_for_is_one_line(cli, tmp_path, option, value) -> None:
    demo = ["demo", "--no-gui", "--output", tmp_path / "demo", option, value]
    expect_one_line(cli(*demo), option.strip("-"))
    assert not (tmp_path / "demo").exists()


def test_a_file_to_measure_that_is_none_is_one_line(cli, pair) -> None:
    truncated(pair.low_res)
    expect_one_line(cli("measure", pair.low_res), "truncated")


def expect_one_line(result, said: str) -> None:
    assert result.status == 2, result
    assert said in result.err
    assert result.err.startswith("napari-superres: ")
    assert result.err.count("\n") == 1
    assert "Unexpected" not in result.err

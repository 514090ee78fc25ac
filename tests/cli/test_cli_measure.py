from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from napari_superres.data.files.segmented import read_volume
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.phases import Phase
from napari_superres.events import Done, Progress
from napari_superres.measures.report import numbers as report_numbers
from napari_superres.measures.report import writing
from napari_superres.measures.report.numbers import ReportOptions
from napari_superres.measures.summary import measure_labels

NUMBERS = {
    "items": {
        "super_res": measure_labels(np.eye(4, dtype=np.uint8), (Phase(0, "a"), Phase(1, "b")))
    },
    "realisations": [],
    "differences": {},
}
FINE, COARSE = (0.1, 0.1, 0.1), (0.2, 0.2, 0.2)


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    """Return a file of 8³ voxels, the lower half phase 0, the upper half phase 1."""
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[4:] = 1
    write_labels_tiff(tmp_path / "cube.tif", labels, voxel_size=FINE)
    return tmp_path / "cube.tif"


def test_a_volume_is_measured_alone(cli, cube, tmp_path) -> None:
    result = cli("measure", cube, "--json", tmp_path / "numbers.json")
    assert result.status == 0, result.err
    assert "volume fraction" in result.out
    found = json.loads((tmp_path / "numbers.json").read_text())["items"]["super_res"]
    assert list(found["volume_fractions"].values()) == [0.5, 0.5]
    assert list(found["interface_areas"].values()) == [pytest.approx(64 / (3 * 512 - 192))]


def test_a_volume_against_itself_has_no_error(cli, cube) -> None:
    result = cli("measure", cube, "--against", cube)
    assert value_of("volume-fraction error", result.out) == "0.0000"
    assert value_of("interface-area error", result.out) == "0.0000"


def test_a_phase_that_one_of_two_lacks_counts_as_nothing(cli, cube, tmp_path) -> None:
    write_labels_tiff(tmp_path / "zeros.tif", np.zeros((8, 8, 8), np.uint8), voxel_size=FINE)
    for files in ((cube, tmp_path / "zeros.tif"), (tmp_path / "zeros.tif", cube)):
        result = cli("measure", files[0], "--against", files[1])
        assert value_of("volume-fraction error", result.out) == "0.5000"


def test_a_truth_of_unknown_voxel_size_lies_on_the_grid_of_the_volume(cli, cube, tmp_path) -> None:
    np.save(tmp_path / "truth.npy", read_volume(cube).values)
    options = ("--against", tmp_path / "truth.npy", "--all", "--json", tmp_path / "n.json")
    assert cli("measure", cube, *options).status == 0
    numbers = json.loads((tmp_path / "n.json").read_text())
    assert numbers["items"]["truth"]["voxel_size_um"] == pytest.approx(list(FINE))
    assert numbers["differences"]["super_res_truth"]["specific_surface_area_error"] == 0


def test_a_report_that_its_own_numbers_would_replace_is_refused(cli, cube, tmp_path) -> None:
    result = cli("measure", cube, "--report", tmp_path / "report.json")
    assert result.status == 2
    assert "Write report.html" in result.err
    assert not (tmp_path / "report.json").exists()


def test_a_volume_is_compared_with_a_slice(cli, cube, tmp_path) -> None:
    labels = read_volume(cube).values[:, :1].swapaxes(0, 1)
    write_labels_tiff(tmp_path / "slice.tif", labels, voxel_size=FINE)
    result = cli("measure", cube, "--against", tmp_path / "slice.tif")
    assert value_of("volume-fraction error", result.out) == "0.0000"


def test_a_stack_of_high_res_slices_is_no_volume(cli, cube, tmp_path) -> None:
    result = cli("measure", cube, "--high-res", cube, cube, "--json", tmp_path / "n.json")
    assert result.status == 0, result.err
    against = json.loads((tmp_path / "n.json").read_text())["items"]["high_res"]
    assert list(against["interface_areas"].values()) == [0.0]


def test_the_low_res_mismatch_counts_voxels_not_given_back(cli, cube, tmp_path) -> None:
    coarse = np.zeros((4, 4, 4), np.uint8)
    coarse[2:] = 1
    coarse[0, 0, 0] = 1
    write_labels_tiff(tmp_path / "low.tif", coarse, voxel_size=COARSE)
    result = cli("measure", cube, "--low-res", tmp_path / "low.tif", "--imaging", "sampled")
    assert result.status == 0, result.err
    assert f"{1 / 64:.4f}" in result.out.splitlines()[-1]


def test_a_cropped_volume_is_placed_by_its_offset(cli, cube, tmp_path) -> None:
    low = tmp_path / "low.tif"
    fine = read_volume(cube).values
    write_labels_tiff(low, np.ascontiguousarray(fine[::2, ::2, ::2]), voxel_size=COARSE)
    offset = (0.2 - 0.05,) * 3
    cropped = np.ascontiguousarray(fine[2:-2, 2:-2, 2:-2])
    write_labels_tiff(cube, cropped, voxel_size=FINE, offset=offset)
    result = cli("measure", cube, "--low-res", low, "--imaging", "sampled")
    assert result.status == 0, result.err
    assert result.out.splitlines()[-1].endswith("0.0000")


def test_a_whole_volume_is_known_by_its_shape_where_voxels_do_not_divide(cli, tmp_path) -> None:
    low, fine = tmp_path / "low.tif", tmp_path / "fine.tif"
    for file, side in ((low, 11), (fine, 16)):  # 11 × 3/2 = 16.5
        labels = np.zeros((side,) * 3, np.uint8)
        labels[: side // 2] = 1
        write_labels_tiff(file, labels, voxel_size=None)
    result = cli("measure", fine, "--low-res", low, "--scale-factor", "3/2")
    assert result.status == 0, result.err
    assert "low-res mismatch" in result.out


@pytest.mark.parametrize("offset", [None, (0.15, 0.15, 9.0)])
def test_a_part_that_cannot_be_placed_is_one_line(cli, cube, tmp_path, offset) -> None:
    low = tmp_path / "low.tif"
    fine = read_volume(cube).values
    size = None if offset is None else COARSE
    write_labels_tiff(low, np.ascontiguousarray(fine[::2, ::2, ::2]), voxel_size=size)
    part = np.ascontiguousarray(fine[2:-2, 2:-2, 2:-2])
    write_labels_tiff(cube, part, voxel_size=FINE, offset=offset)
    result = cli("measure", cube, "--low-res", low, "--scale-factor", 2)
    assert result.status == 2
    assert "cube.tif" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("others", [("--run", "--high-res"), ("--run", "--low-res")])
def test_a_run_brings_its_own_slices_and_low_res_volume(cli, cube, others: tuple[str, str]) -> None:
    result = cli("measure", cube, others[0], cube, others[1], cube)
    assert result.status == 2
    assert "Leave the others out" in result.err


@pytest.mark.parametrize(
    "told", [("--scale-factor", "4"), ("--phase-map", "0:0,1:1"), ("--one-sided", "1")]
)
def test_a_run_brings_its_own_settings(cli, cube, told: tuple[str, str]) -> None:
    result = cli("measure", cube, "--run", cube, *told)
    assert result.status == 2
    assert f"together with {told[0]}." in result.err


def test_a_coarser_instrument_merges_phases(cli, cube, tmp_path) -> None:
    result = cli(
        *["simulate-low-res", cube, "--scale-factor", 2, "--imaging", "sampled"],
        *["--merge", "1:0", "--output", tmp_path / "low.tif"],
    )
    assert result.status == 0, result.err
    low = read_volume(tmp_path / "low.tif")
    assert low.shape == (4, 4, 4)
    assert low.voxel_size == pytest.approx(COARSE)
    assert [phase.value for phase in low.phases] == [0]


def test_a_simulated_volume_lies_beside_its_source_by_default(cli, cube) -> None:
    assert cli("simulate-low-res", cube, "--scale-factor", 2).status == 0
    assert read_volume(cube.with_name("cube-low-res.tif")).shape == (4, 4, 4)


def test_a_report_is_about_the_volume_and_its_reference(cli, cube, tmp_path, monkeypatch) -> None:
    told = []

    def measure(inputs, options):
        told.append((inputs, options))
        yield Progress("measuring", 0.5)
        yield Done(NUMBERS)

    monkeypatch.setattr(report_numbers, "measure_report", measure)
    monkeypatch.setattr(writing, "write_report", lambda path, inputs, numbers, figures: [path])
    page = tmp_path / "report.html"
    result = cli("measure", cube, "--against", cube, "--report", page, "--transport")
    assert result.status == 0, result.err
    ((inputs, options),) = told
    assert inputs.super_res[0].shape == inputs.truth.shape == (8, 8, 8)
    assert inputs.high_res is None
    assert options.transport
    assert f"Report   {page}" in result.out


def test_realisations_truth_and_slices_are_set_side_by_side(cli, cube, tmp_path) -> None:
    labels = read_volume(cube).values
    write_labels_tiff(tmp_path / "other.tif", np.roll(labels, 2, 0), voxel_size=FINE)
    result = cli(
        *["measure", cube, tmp_path / "other.tif", "--against", cube, "--high-res", cube],
        *["--json", tmp_path / "n.json"],
    )
    assert result.status == 0, result.err
    numbers = json.loads((tmp_path / "n.json").read_text())
    assert set(numbers["items"]) == {"super_res", "high_res", "truth"}
    assert len(numbers["realisations"]) == 1
    assert value_of("volume-fraction error, mean over phases, truth", result.out) == "0.0000"
    assert "± s.d." in result.out


def test_the_numbers_of_measure_are_those_of_the_report(cli, cube, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(report_numbers, "ReportOptions", partial(ReportOptions, count=2, side=4))
    page, alone, told = tmp_path / "r.html", tmp_path / "alone.json", tmp_path / "told.json"
    assert cli("measure", cube, cube, "--all", "--against", cube, "--json", alone).status == 0
    result = cli("measure", cube, cube, "--against", cube, "--json", told, "--report", page)
    assert result.status == 0, result.err
    shown = json.loads(page.with_suffix(".json").read_text())
    assert json.loads(told.read_text()) == shown
    for part in ("items", "realisations", "differences"):
        assert json.loads(alone.read_text())[part] == shown[part]
    assert "mean ± s.d. of 2" in page.read_text()


def test_two_sets_of_slices_are_one_too_many(cli, cube, tmp_path) -> None:
    write_labels_tiff(tmp_path / "slice.tif", np.eye(8, dtype=np.uint8)[None], voxel_size=FINE)
    result = cli("measure", cube, "--against", tmp_path / "slice.tif", "--high-res", cube)
    assert result.status == 2
    assert "Leave one of the two out" in result.err


def value_of(title: str, table: str) -> str:
    (line,) = (line for line in table.splitlines() if line.startswith(title))
    return line.split()[-1]

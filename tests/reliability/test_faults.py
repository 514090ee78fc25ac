"""A small part of the trial by faults; benchmarks/faults.py has the hundreds of cases."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_superres.data.files.images import read_images
from napari_superres.data.files.ome_zarr import create_pyramid
from napari_superres.data.files.segmented import read_volume
from napari_superres.errors import FileError, SuperResError
from tests.reliability import bombs

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(1200)  # of several processes; machines can be busy
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the trial forks, limits memory")
@pytest.mark.parametrize("only", ["measure", "generate"])
def test_damaged_files_end_in_a_result_or_in_an_error_of_ours(only: str) -> None:
    script = [sys.executable, "benchmarks/faults.py", "--cases", "1", "--no-bombs", "--only", only]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 faults of the project" in done.stdout


@pytest.mark.parametrize(
    "bomb", [bombs.tiff_of_one_strip_repeated, bombs.tiff_that_claims, bombs.tiff_with_a_loop]
)
def test_a_tiff_that_claims_too_much_is_refused(tmp_path: Path, bomb: bombs.Bomb) -> None:
    bomb(tmp_path / "low.tif")
    with pytest.raises(SuperResError):
        read_volume(tmp_path / "low.tif")


@pytest.mark.parametrize("bomb", [bombs.imagej_that_claims, bombs.ome_with_entities])
def test_of_a_tiff_with_an_absurd_description_no_more_is_read_than_there_is(
    tmp_path: Path, bomb: bombs.Bomb
) -> None:
    bomb(tmp_path / "low.tif")
    with contextlib.suppress(SuperResError):
        assert read_volume(tmp_path / "low.tif").labels.size <= 4 * 16 * 16


@pytest.mark.parametrize("bomb", bombs.NPY, ids=lambda bomb: bomb.__name__)
def test_an_npy_that_is_no_array_that_fits_is_refused(tmp_path: Path, bomb: bombs.Bomb) -> None:
    bomb(tmp_path / "low.npy")
    with pytest.raises(FileError, match="damaged"):
        read_volume(tmp_path / "low.npy")


@pytest.mark.parametrize("bomb", bombs.ZARR, ids=lambda bomb: bomb.__name__)
def test_a_zarr_that_claims_too_much_or_points_outside_is_refused(
    tmp_path: Path, bomb: bombs.Bomb
) -> None:
    folder = tmp_path / "low.zarr"
    size = {"voxel_size": None, "offset": None, "phases": (), "provenance": {}}
    create_pyramid(folder, (16, 16, 16), 16, **size)
    bomb(folder)
    with pytest.raises(FileError, match=r"claims to hold|no OME-Zarr"):
        read_volume(folder)


def test_a_picture_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    bombs.png_that_claims(tmp_path / "grey.png")
    with pytest.raises(FileError, match=r"suspiciously large|claims to hold"):
        read_images(tmp_path / "grey.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("name", ["low.tif", "low.npy", "grey.png"])
def test_a_pipe_that_nobody_writes_to_is_refused_and_not_waited_for(
    tmp_path: Path, name: str
) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(FileError):
        read_images(tmp_path / name)


@pytest.mark.parametrize("name", ["größe 体积.tif", " two  blanks .tif", "quo'te\".tif", "-x.tif"])
def test_unicode_and_blanks_in_a_path_do_not_matter(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "Übung  Ω"
    folder.mkdir()
    stack = np.arange(64, dtype=np.uint8).reshape(4, 4, 4) % 2
    tifffile.imwrite(folder / name, stack, photometric="minisblack")
    assert read_volume(folder / name).shape == (4, 4, 4)

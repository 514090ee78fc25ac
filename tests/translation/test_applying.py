"""A trained network translates images and volumes: alike in all tiles, whole on disk."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from napari_superres.data.files.tiff import read_tiff_metadata
from napari_superres.errors import (
    EngineError,
    OutputError,
    SettingsError,
)
from napari_superres.events import (
    FinishReason,
    GenerationFinished,
    TileCompleted,
)
from napari_superres.translation.apply import translate
from napari_superres.translation.translator import Translator
from tests.translation.materials import images


@pytest.mark.parametrize("tile", [5, 11, 16])
def test_a_translation_does_not_depend_on_its_tiles(grey_run: Path, tile: int) -> None:
    translator = Translator.load(grey_run, device="cpu")
    low = np.random.default_rng(3).integers(0, 256, (33, 29)).astype(np.uint8)
    whole = translator.image(low, tile=64)
    assert np.abs(translator.image(low, tile=tile).astype(int) - whole).max() <= 1


def test_a_gpu_computes_the_same_whatever_the_tile(grey_run: Path, monkeypatch) -> None:
    translator, cudnn, seen = Translator.load(grey_run, device="cpu"), torch.backends.cudnn, []
    before, forward = (cudnn.allow_tf32, cudnn.deterministic), translator.network.forward

    def noted(*given: object) -> torch.Tensor:
        seen.append((cudnn.allow_tf32, cudnn.deterministic))
        return forward(*given)

    monkeypatch.setattr(translator.network, "forward", noted)
    translator.image(images(24).images[0])
    assert seen == [(False, True)]
    assert (cudnn.allow_tf32, cudnn.deterministic) == before


@pytest.mark.parametrize("tile", [-3, 0, 3])
def test_an_impossible_tile_is_refused_before_anything_is_written(
    grey_run: Path, tmp_path: Path, tile: int
) -> None:
    with pytest.raises(SettingsError, match="tile"):
        Translator.load(grey_run, device="cpu").image(images(24).images[0], tile=tile)
    for file in (None, tmp_path / "out.tif"):
        with pytest.raises(SettingsError, match="tile"):
            next(translate(grey_run, images(24).images[0], file, tile=tile, device="cpu"))
    assert not list(tmp_path.iterdir())


def test_the_same_seed_translates_alike_and_another_does_not(grey_run: Path) -> None:
    translator = Translator.load(grey_run, device="cpu")
    translator.network.strengths.fill_(2.0)
    low = images(24).images[0]
    first = translator.image(low, seed=1)
    assert (first == translator.image(low, seed=1)).all()
    assert (first != translator.image(low, seed=2)).any()
    assert (first != translator.image(low, seed=1, plane=1)).any()


@pytest.mark.parametrize(("axis", "shape"), [(0, (3, 20, 24)), (1, (6, 10, 24)), (2, (6, 20, 12))])
def test_a_volume_streams_to_disk_along_any_axis(grey_run, tmp_path, axis, shape) -> None:
    volume = np.random.default_rng(0).integers(0, 256, (3, 10, 12)).astype(np.uint8)
    file = tmp_path / "out.tif"
    size = (0.4, 0.4, 0.4)
    list(translate(grey_run, volume, file, axis, device="cpu", voxel_size=size))
    stored = tifffile.imread(file)
    assert stored.shape == shape
    in_memory = list(translate(grey_run, volume, None, axis, device="cpu"))[-1]
    assert isinstance(in_memory, GenerationFinished)
    assert (in_memory.labels == stored).all()
    expected = [0.4 if a == axis else 0.2 for a in range(3)]
    assert read_tiff_metadata(file).voxel_size == pytest.approx(expected)


def test_a_stopped_translation_leaves_what_was_there(grey_run: Path, tmp_path: Path) -> None:
    file, stop = tmp_path / "out.tif", threading.Event()
    file.write_bytes(b"precious")
    stop.set()
    volume = np.zeros((2, 8, 8), np.uint8)
    last = list(translate(grey_run, volume, file, device="cpu", stop=stop))[-1]
    assert isinstance(last, GenerationFinished)
    assert last.reason is FinishReason.STOPPED
    assert file.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("ends", ["failed", "closed"])
def test_a_translation_that_ends_early_leaves_no_file(
    grey_run: Path, tmp_path: Path, monkeypatch, ends: str
) -> None:
    file = tmp_path / "out.tif"
    if ends == "failed":
        monkeypatch.setattr(Translator, "image", lambda *given: torch.zeros(1) @ torch.zeros(2))
    events = translate(grey_run, np.zeros((3, 8, 8), np.uint8), file, device="cpu")
    with pytest.raises(EngineError) if ends == "failed" else nullcontext():
        for event in events:
            if isinstance(event, TileCompleted):
                events.close()
    assert not file.exists()


@pytest.mark.parametrize(
    ("shape", "axis"), [((8, 10), 1), ((0, 8, 8), 0), ((2, 8, 8), 3), ((2, 8, 8), -1), ((8,), 0)]
)
def test_an_axis_that_the_volume_has_not_is_refused(grey_run, shape, axis) -> None:
    with pytest.raises(SettingsError, match="axis"):
        next(translate(grey_run, np.zeros(shape, np.uint8), None, axis, device="cpu"))


@pytest.mark.parametrize("name", ["out.png", "out"])
def test_a_name_of_another_kind_is_refused(grey_run: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"out\.tif"):
        next(translate(grey_run, np.zeros((2, 8, 8), np.uint8), tmp_path / name, device="cpu"))
    assert not list(tmp_path.iterdir())

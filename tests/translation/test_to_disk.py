from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_superres.data.files import ome_zarr
from napari_superres.data.files.ome_zarr import open_pyramid
from napari_superres.data.files.tiff import read_tiff_metadata
from napari_superres.errors import OutputError
from napari_superres.events import FinishReason, PartAssembled, TileCompleted
from napari_superres.translation import apply
from napari_superres.translation.apply import translate
from tests.translation.materials import run_of

VOLUME = (np.random.default_rng(0).integers(0, 2, (3, 10, 12))).astype(np.uint8)


@pytest.mark.parametrize("phases", [0, 2])
def test_a_pyramid_holds_what_memory_would(tmp_path: Path, phases: int) -> None:
    run = tmp_path / "run"
    run_of(run, 1, phases)
    file, size = tmp_path / "out.zarr", (0.4, 0.4, 0.4)
    events = list(translate(run, VOLUME, file, 1, device="cpu", voxel_size=size))
    whole = list(translate(run, VOLUME, None, 1, device="cpu"))[-1].labels
    made = open_pyramid(file)
    assert any(isinstance(event, PartAssembled) for event in events)
    np.testing.assert_array_equal(np.asarray(made.levels[0][:]), whole)
    assert made.voxel_size == pytest.approx((0.2, 0.4, 0.2))
    assert len(made.phases) == phases
    assert {path.name for path in tmp_path.iterdir()} == {"run", "out.zarr"}


def test_an_image_becomes_a_pyramid_of_one_slice(tmp_path: Path) -> None:
    run, file = tmp_path / "run", tmp_path / "out.zarr"
    run_of(run, 1)
    list(translate(run, VOLUME[0], file, device="cpu"))
    whole = list(translate(run, VOLUME[0], device="cpu"))[-1].labels
    np.testing.assert_array_equal(np.asarray(open_pyramid(file).levels[0][:]), whole)


def test_a_stopped_pyramid_leaves_nothing_and_others_are_not_replaced(tmp_path: Path) -> None:
    run, stop = tmp_path / "run", threading.Event()
    run_of(run, 1)
    stop.set()
    last = list(translate(run, VOLUME, tmp_path / "a.zarr", device="cpu", stop=stop))[-1]
    assert last.reason is FinishReason.STOPPED
    assert not (tmp_path / "a.zarr").exists()
    (tmp_path / "b.zarr").write_text("precious")
    with pytest.raises(OutputError, match="no zarr folder"):
        next(iter(translate(run, VOLUME, tmp_path / "b.zarr", device="cpu")))


def test_stop_is_heeded_while_a_pyramid_is_put_together(tmp_path: Path, monkeypatch) -> None:
    run, file, stop = tmp_path / "run", tmp_path / "out.zarr", threading.Event()
    run_of(run, 1)
    put, go_on = ome_zarr.put_block, threading.Event()

    def held_up(*block: object) -> None:
        assert go_on.wait(20)
        put(*block)

    with monkeypatch.context() as slow:
        slow.setattr(ome_zarr, "SIDE", 16)
        slow.setattr(ome_zarr, "put_block", held_up)
        events = []
        for event in translate(run, VOLUME, file, device="cpu", stop=stop):
            events.append(event)
            if isinstance(event, PartAssembled):
                stop.set()
                go_on.set()
    assert sum(isinstance(event, PartAssembled) for event in events) == 1
    assert events[-1].reason is FinishReason.STOPPED
    assert not file.exists()
    started = next(iter(translate(run, VOLUME, file, device="cpu")))
    assert started.tiles_done == started.tiles


@pytest.mark.parametrize("phases", [0, 2])
def test_a_tiff_has_the_metadata_of_a_pyramid(tmp_path: Path, phases: int) -> None:
    run, size = tmp_path / "run", (0.4, 0.4, 0.4)
    run_of(run, 1, phases)
    for name in ("out.tif", "out.zarr"):
        list(translate(run, VOLUME, tmp_path / name, 1, 7, device="cpu", voxel_size=size))
    tiff, zarr = read_tiff_metadata(tmp_path / "out.tif"), open_pyramid(tmp_path / "out.zarr")
    assert tiff.voxel_size == pytest.approx(zarr.voxel_size)
    assert tiff.phases == zarr.phases
    assert len(tiff.phases) == phases
    assert tiff.provenance == zarr.provenance
    assert tiff.provenance["seed"] == "7"
    assert tiff.provenance["run"] == str(run)
    stored = tifffile.imread(tmp_path / "out.tif")
    np.testing.assert_array_equal(stored, np.asarray(zarr.levels[0][:]))


@pytest.mark.parametrize("name", ["out.tif", "out.zarr"])
@pytest.mark.parametrize("axis", [0, 2])
def test_a_stopped_translation_is_continued_to_the_same_file(
    tmp_path: Path, monkeypatch, name: str, axis: int
) -> None:
    run, file, stop = tmp_path / "run", tmp_path / name, threading.Event()
    run_of(run, 1)
    monkeypatch.setattr(apply, "SLAB", 2)
    for event in translate(run, VOLUME, file, axis, device="cpu", stop=stop):
        if isinstance(event, TileCompleted) and event.done == 2:
            stop.set()
    assert not file.exists()
    again = translate(run, VOLUME, file, axis, device="cpu")
    assert next(again).tiles_done == 2
    list(again)
    whole = list(translate(run, VOLUME, None, axis, device="cpu"))[-1].labels
    stored = open_pyramid(file).levels[0][:] if name == "out.zarr" else tifffile.imread(file)
    np.testing.assert_array_equal(stored, whole)
    assert {path.name for path in tmp_path.iterdir()} == {"run", name}


def test_another_seed_or_volume_does_not_continue_a_stopped_translation(tmp_path: Path) -> None:
    run, file, stop = tmp_path / "run", tmp_path / "out.tif", threading.Event()
    run_of(run, 1)
    for event in translate(run, VOLUME, file, device="cpu", stop=stop):
        if isinstance(event, TileCompleted):
            stop.set()
    for volume, seed in ((VOLUME, 1), (1 - VOLUME, 0)):
        again = translate(run, volume, file, seed=seed, device="cpu")
        assert next(again).tiles_done == 0
        again.close()

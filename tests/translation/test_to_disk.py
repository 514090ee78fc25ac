from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from napari_superres.data.files.ome_zarr import open_pyramid
from napari_superres.errors import OutputError
from napari_superres.events import FinishReason, PartAssembled
from napari_superres.translation import apply
from napari_superres.translation.apply import translate, translate_to
from tests.translation.materials import run_of

VOLUME = (np.random.default_rng(0).integers(0, 2, (3, 10, 12))).astype(np.uint8)


@pytest.mark.parametrize("phases", [0, 2])
def test_a_pyramid_holds_what_memory_would(tmp_path: Path, phases: int) -> None:
    run = tmp_path / "run"
    run_of(run, 1, phases)
    file, size = tmp_path / "out.zarr", (0.4, 0.4, 0.4)
    events = list(translate_to(run, VOLUME, file, 1, device="cpu", voxel_size=size))
    whole = list(translate(run, VOLUME, None, 1, device="cpu"))[-1].labels
    pyramid = open_pyramid(file)
    assert any(isinstance(event, PartAssembled) for event in events)
    np.testing.assert_array_equal(np.asarray(pyramid.levels[0][:]), whole)
    assert pyramid.voxel_size == pytest.approx((0.2, 0.4, 0.2))
    assert len(pyramid.phases) == phases
    assert {path.name for path in tmp_path.iterdir()} == {"run", "out.zarr"}


def test_an_image_becomes_a_pyramid_of_one_slice(tmp_path: Path) -> None:
    run, file = tmp_path / "run", tmp_path / "out.zarr"
    run_of(run, 1)
    list(translate_to(run, VOLUME[0], file, device="cpu"))
    whole = list(translate(run, VOLUME[0], device="cpu"))[-1].labels
    np.testing.assert_array_equal(np.asarray(open_pyramid(file).levels[0][:]), whole)


def test_a_stopped_pyramid_leaves_nothing_and_others_are_not_replaced(tmp_path: Path) -> None:
    run, stop = tmp_path / "run", threading.Event()
    run_of(run, 1)
    stop.set()
    last = list(translate_to(run, VOLUME, tmp_path / "a.zarr", device="cpu", stop=stop))[-1]
    assert last.reason is FinishReason.STOPPED
    assert not (tmp_path / "a.zarr").exists()
    (tmp_path / "b.zarr").write_text("precious")
    with pytest.raises(OutputError, match="no zarr folder"):
        next(iter(translate_to(run, VOLUME, tmp_path / "b.zarr", device="cpu")))


def test_stop_is_heeded_while_a_pyramid_is_put_together(tmp_path: Path, monkeypatch) -> None:
    run, file, stop = tmp_path / "run", tmp_path / "out.zarr", threading.Event()
    run_of(run, 1)
    monkeypatch.setattr(apply, "SIDE", 16)
    events = []
    for event in translate_to(run, VOLUME, file, device="cpu", stop=stop):
        events.append(event)
        if isinstance(event, PartAssembled):
            stop.set()
    assert sum(isinstance(event, PartAssembled) for event in events) == 1
    assert events[-1].reason is FinishReason.STOPPED
    assert not file.exists()

"""A small volume, and blocks of files as small as it needs."""

from __future__ import annotations

import pytest

from napari_superres.data.volumes import SegmentedVolume
from napari_superres.writing import plain_sink, zarr_sink
from tests.generation.networks import low_res


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(plain_sink, "SIDE", 24)
    monkeypatch.setattr(zarr_sink, "SIDES", (32, 32))


@pytest.fixture
def volume() -> SegmentedVolume:
    return SegmentedVolume.from_labels(low_res((10, 12, 9)), (0.4, 0.4, 0.8))

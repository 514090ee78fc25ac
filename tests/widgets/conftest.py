"""A window where one can be opened; otherwise the widget tests are skipped, with the reason."""

from __future__ import annotations

import functools
import gc

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("qtpy", reason="qtpy is not installed")

from napari_superres.data.examples.pair import Example
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from tests.fakes import PHASES, FakeEngine
from tests.widgets.bench import Bench


@pytest.fixture(scope="session", autouse=True)
def manifests_read_once():
    """Parse each plugin's manifest once, not again for every viewer."""
    from npe2 import PluginManifest

    read = functools.cache(PluginManifest.from_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PluginManifest, "from_file", lambda path: read(path).model_copy(deep=True))
        yield


@pytest.fixture(scope="module", autouse=True)
def frozen_past():
    """Let the garbage collector pass over what earlier modules left.

    Napari's fixture collects after each test; imports and napari's menus, which outlive their
    viewers, would make that a second each time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def fresh_preferences(tmp_path, monkeypatch):
    """Keep a person's own preferences out of the tests, and the tests' out of theirs."""
    from napari import settings

    settings._clear_plugin_settings_cache()
    monkeypatch.setattr(settings, "_CFG_PATH", str(tmp_path / "napari" / "settings.yaml"))
    yield
    settings._clear_plugin_settings_cache()


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def low_res():
    labels = (np.indices((12, 12, 12)).sum(0) // 3 % 2).astype(np.uint8)
    return SegmentedVolume(labels, PHASES[:2], (0.4, 0.4, 0.4), "low")


@pytest.fixture
def high_res():
    image = (np.indices((64, 64)).sum(0) // 5 % 3).astype(np.uint8)
    return SegmentedSlices(((image,),), PHASES, (0.1, 0.1, 0.1), "high")


@pytest.fixture
def example(low_res, high_res):
    return Example(Pair(low_res, high_res), None, None)


@pytest.fixture
def bench(make_napari_viewer_proxy, engine, example, qtbot, tmp_path):
    bench = Bench(make_napari_viewer_proxy(), engine, example, qtbot, tmp_path)
    yield bench
    bench.session.shut_down()
    for runner in (bench.session.fusion.runner, bench.session.generation.runner):
        qtbot.waitUntil(lambda runner=runner: not runner.active, timeout=8000)
    qtbot.wait(50)

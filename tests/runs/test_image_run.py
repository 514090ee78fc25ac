import json
from pathlib import Path

import numpy as np
import pytest

from napari_superres.data.files.images import ImageSet
from napari_superres.errors import RunFolderError
from napari_superres.runs.run import Run
from napari_superres.synthesis.settings import SYNTHESIS, SynthesisSettings


def with_engine(folder: Path, engine: object) -> Run:
    images = ImageSet((np.zeros((8, 8), np.uint8),), (), None)
    run = Run.create(folder, SYNTHESIS, SynthesisSettings(), {"real": images})
    config = json.loads((folder / "config.json").read_text())
    config["settings"]["engine"] = engine
    (folder / "config.json").write_text(json.dumps(config))
    return run


def with_batch(folder: Path, batch: int) -> Run:
    run = Run.open(folder, SYNTHESIS).with_engine({"batch": batch}, 0)
    run.write_config()
    return run


def test_another_batch_is_taken_where_the_preset_sets_the_engine(tmp_path: Path) -> None:
    run = with_engine(tmp_path / "run", None)
    changed = with_batch(run.path, 2)
    assert changed.settings.engine.batch == 2


def test_another_batch_for_damaged_settings_is_refused(tmp_path: Path) -> None:
    run = with_engine(tmp_path / "run", [])
    with pytest.raises(RunFolderError, match="do not fit"):
        with_batch(run.path, 2)


@pytest.mark.parametrize("size", [0.0, -1.0, 1e-300])
def test_a_config_with_a_size_that_no_pixel_has_is_refused(tmp_path: Path, size: float) -> None:
    images = ImageSet((np.zeros((8, 8), np.uint8),), (), 0.1)
    run = Run.create(tmp_path / "run", SYNTHESIS, SynthesisSettings(), {"real": images})
    config = json.loads((run.path / "config.json").read_text())
    config["inputs"]["real"]["pixel_size"] = size
    (run.path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunFolderError, match=r"does not fit.*pixel_size"):
        Run.open(run.path)


def test_another_batch_keeps_what_was_changed_before(tmp_path: Path) -> None:
    images = ImageSet((np.zeros((8, 8), np.uint8),), (), None)
    settings = SynthesisSettings(engine={"batch": 8})
    folder = Run.create(tmp_path / "run", SYNTHESIS, settings, {"real": images}).path
    with_batch(folder, 4)
    with_batch(folder, 2)
    run = Run.open(folder, SYNTHESIS)
    assert run.settings.engine.batch == 2
    assert [(dict(c.before), dict(c.after)) for c in run.config.changes] == [
        ({"batch": 8}, {"batch": 4}),
        ({"batch": 4}, {"batch": 2}),
    ]

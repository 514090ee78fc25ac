from pathlib import Path

import numpy as np

from napari_superres.data.images import ImageSet
from napari_superres.runs.image_run import ImageRun
from napari_superres.runs.lock import NAME
from napari_superres.synthesis.settings import SynthesisSettings


def test_another_batch_keeps_what_was_changed_since_the_run_was_opened(tmp_path: Path) -> None:
    images = ImageSet((np.zeros((8, 8), np.uint8),), (), None)
    settings = SynthesisSettings(engine={"batch": 8})
    opened = ImageRun.create(tmp_path / "run", "synthesis", settings, {"real": images})
    ImageRun.open(tmp_path / "run").with_batch(4, SynthesisSettings)
    opened.with_batch(2, SynthesisSettings)
    run = ImageRun.open(tmp_path / "run")
    assert run.settings(SynthesisSettings).engine.batch == 2
    assert [(dict(c.before), dict(c.after)) for c in run.config.changes] == [
        ({"batch": 8}, {"batch": 4}),
        ({"batch": 4}, {"batch": 2}),
    ]
    assert not (tmp_path / "run" / NAME).exists()

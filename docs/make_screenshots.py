"""Walk through the panel in a real window and save a picture of every stage.

Run it on a display of 1440 x 900, for example a virtual one::

    xvfb-run -a -s "-screen 0 1440x900x24" python docs/make_screenshots.py
    xvfb-run -a -s "-screen 0 1440x900x24" python docs/make_screenshots.py --theme light
    xvfb-run -a -s "-screen 0 1440x900x24" python docs/make_screenshots.py --example anisotropic

It clicks as a person would: opens the example, trains, pauses, resumes, stops,
generates, compares, measures, writes a report, draws a crop box, exports, and
closes napari during a training. It fails when a stage does not come, or when a
thread outlives the window. Pictures of the light theme end in -light, those of
the anisotropic example begin with aniso-. With ``--until data`` it ends after
the first cheap scenes. With ``--trained DIR`` it trains ``--steps`` steps, stops,
opens a copy of that run of the same example, and goes on with it: so pictures
show a trained generator without each theme's training for long.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from screenshots import inputs, results, training
from screenshots.journey import Journey

IMAGES = Path(__file__).parent / "images"
SCENES: dict[str, Callable[[Journey], None]] = {
    "segment": inputs.segment,
    "preferences": inputs.preferences,
    "data": inputs.open_example,
    "set-up": inputs.set_up,
    "train": training.train,
    "generate": results.generate,
    "compare": results.compare,
    "measure": results.measure,
    "export": results.export,
    "closing": training.close_while_training,
}
ISOTROPIC_ONLY = ("segment", "preferences")
"""They look the same with both examples."""


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=IMAGES)
    parser.add_argument("--steps", type=int, default=400, help="steps before the pictures")
    parser.add_argument("--trained", type=Path, help="run of the same example to go on with")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--example", choices=("isotropic", "anisotropic"), default="isotropic")
    parser.add_argument("--until", choices=tuple(SCENES), default=tuple(SCENES)[-1])
    chosen = parser.parse_args()
    aniso = chosen.example == "anisotropic"
    chosen.images.mkdir(parents=True, exist_ok=True)
    manager = None
    if shutil.which("openbox"):
        manager = subprocess.Popen(["openbox"], stderr=subprocess.DEVNULL)
        time.sleep(1)
    try:
        with tempfile.TemporaryDirectory() as work:
            journey = Journey(
                chosen.images, Path(work), chosen.steps, chosen.theme, aniso, chosen.trained
            )
            journey.file("13-closing").unlink(missing_ok=True)
            for name, scene in SCENES.items():
                if not (aniso and name in ISOTROPIC_ONLY):
                    scene(journey)
                if name == chosen.until:
                    break
    finally:
        if manager is not None:
            manager.terminate()


if __name__ == "__main__":
    main()

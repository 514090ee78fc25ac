import numpy as np
import pytest

from napari_superres.config import Budget
from napari_superres.events import ImagesMeasured, Measurement, StepCompleted, TrainingStarted
from napari_superres.synthesis.settings import STYLE_PRESETS, SynthesisSettings
from napari_superres.widgets.run.command import image_command, image_files
from napari_superres.widgets.run.history import (
    History,
    history_of_log,
    named_values,
    score_line,
)

CURVE = np.array([0.5, 0.3])


def measured(step, score, names=("dark", "bright")):
    curves = {f"two-point {name} {item}": CURVE for name in names for item in ("real", "synthetic")}
    return ImagesMeasured(step, {"fraction_gap": 0.125, "r_t": 0.5}, curves, score, True)


def test_numbers_are_told_with_the_best_step():
    history = History()
    for step, score in ((0, 9.0), (10, 2.0), (20, 3.0)):
        history.add(measured(step, score))
    assert score_line(history) == "Gap to real images: fractions 0.125 · r_t 0.50. Best at step 10."
    assert named_values(history, ("r_t", "p"))["r_t"].steps == [0, 10, 20]


def test_of_two_phases_one_curve_tells_all_and_of_three_each_its_own():
    history = History()
    history.add(measured(0, 1.0))
    assert list(history.profiles_of("two-point")) == ["dark real", "dark synthetic"]
    history.add(measured(1, 1.0, ("a", "b", "c")))
    assert len(history.profiles_of("two-point")) == 6
    assert not history.profiles_of("histogram")


def test_a_resumed_run_draws_no_step_twice():
    history = History()
    for step in (1, 2, 3):
        history.add(StepCompleted(step, 1.0, None, None, {"generator": 1.0}))
    history.add(TrainingStarted(None, "cpu", 2, Measurement({}, {}), 1, 1))
    history.add(StepCompleted(3, 1.0, None, None, {"generator": 2.0}))
    assert history.losses["generator"].steps == [1, 2, 3]


def test_an_earlier_runs_lines_fill_the_curves():
    lines = [{"step": 0, "score": 5.0, "p": 0.0}, {"step": 9, "score": 1.0, "p": 0.4}]
    history = history_of_log(lines)
    assert named_values(history, ("p",))["p"].values == [0.0, 0.4]
    assert history.best == 9


@pytest.mark.parametrize("segmented", [None, True])
def test_the_command_gives_the_same_settings(tmp_path, segmented):
    from typer.testing import CliRunner

    engine = STYLE_PRESETS["small"].replace(batch=4)
    settings = SynthesisSettings(size=32, stride=5, preset="small", engine=engine)
    words = ["synthesise", "train", "--images", *image_files([tmp_path / "no such.tif"], "IMAGE")]
    command = image_command(
        words, settings, STYLE_PRESETS, segmented, Budget(minutes=2, steps=None), tmp_path / "run"
    )
    assert "--size 32 --stride 5 --preset small" in command
    assert "--set batch=4 --minutes 2" in command
    assert ("--segmented" in command) is bool(segmented)
    import shlex

    from napari_superres.cli.app import app

    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert "no such.tif" in str(result.exception or result.output)

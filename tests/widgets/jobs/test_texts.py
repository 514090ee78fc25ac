import shlex
from datetime import datetime
from pathlib import Path

import pytest
import typer

from napari_superres.cli.app import app, repeat_options
from napari_superres.command_line import as_line
from napari_superres.config import (
    PRESETS,
    Budget,
    EngineSettings,
    Preset,
    TrainingSettings,
    from_text,
    to_text,
)
from napari_superres.events import (
    MetricsMeasured,
    RolledBack,
    StepCompleted,
    TrainingStarted,
)
from napari_superres.widgets.jobs.words import free_run_folder
from napari_superres.widgets.layers.colours import contrast, readable
from napari_superres.widgets.parts.curves import MOST_POINTS, Curve
from napari_superres.widgets.parts.settings_form import field_specs
from napari_superres.widgets.run.command import train_command
from napari_superres.widgets.run.history import History, score_line
from tests.fakes import PHASES, measured

SETTINGS = TrainingSettings.model_validate({"scale_factor": 4, "phase_map": {0: 0, 1: 1, 2: 0}})


def test_run_folders_are_named_by_date_and_never_reused(tmp_path):
    now = datetime(2026, 1, 2, 3, 4)
    first = free_run_folder(tmp_path, "My Cathode (1)", now)
    assert first.name == "2026-01-02_0304_my-cathode--1"
    first.mkdir()
    assert free_run_folder(tmp_path, "My Cathode (1)", now) != first


def test_the_command_can_be_pasted():
    command = train_command(
        SETTINGS, Budget(minutes=5, steps=None), Path("/a b/run"), Path("/x/low.tif"), [None]
    )
    words = shlex.split(command)
    assert words[:4] == ["napari-superres", "train", "--low-res", "/x/low.tif"]
    assert words[words.index("--phase-map") + 1] == "0:0,1:1,2:0"
    assert words[-2:] == ["--run", "/a b/run"]
    assert "HIGH_RES_1.tif" in words


def test_a_line_for_windows_holds_each_word_together():
    words = ["train", "C:\\my runs\\a.tif", "0:0,1:1", 'crop=[1,"x y"]', "C:\\runs\\a.tif"]
    line = as_line(words, windows=True)
    assert line == ('train "C:\\my runs\\a.tif" "0:0,1:1" "crop=[1,\\"x y\\"]" C:\\runs\\a.tif')
    assert shlex.split(as_line(words, windows=False)) == words


def test_the_command_gives_each_one_sided_phase_as_the_command_line_takes_it():
    settings = SETTINGS.replace(one_sided=(0, 1))
    command = train_command(settings, Budget(minutes=1, steps=None), Path("r"), None, [None])
    train = typer.main.get_command(app).get_command(None, "train")
    context = train.make_context("train", repeat_options(shlex.split(command)[2:]))
    assert list(context.params["one_sided"]) == [0, 1]


def test_the_command_line_reads_what_the_command_gives():
    plain = {"anisotropic": True, "mirrors": "none", "warm_start": "12", "imaging": "sampled"}
    settings = SETTINGS.replace(**plain, one_sided=(0, 1), blur_kernel=3, blur_sd=2.5, seed=5)
    command = train_command(settings, Budget(minutes=1, steps=None), Path("r"), None, [None])
    train = typer.main.get_command(app).get_command(None, "train")
    context = train.make_context("train", repeat_options(shlex.split(command)[2:]))
    given = {name: context.params[name] for name, _ in settings if name != "engine"}
    given["phase_map"] = from_text(TrainingSettings, "phase_map", given["phase_map"])
    assert TrainingSettings.model_validate(given) == settings


def test_the_command_names_only_dials_that_differ_from_the_preset():
    engine = PRESETS[Preset.QUICK].replace(crop=32)
    settings = SETTINGS.replace(engine=engine)
    command = train_command(settings, Budget(minutes=1, steps=None), Path("r"), None, [None])
    assert shlex.split(command).count("--set") == 1
    assert "crop=32" in command


def test_curves_stay_short():
    curve = Curve()
    for step in range(5 * MOST_POINTS):
        curve.add(step, 0.0)
    assert len(curve.steps) <= MOST_POINTS
    assert curve.steps == sorted(curve.steps)


def test_errors_are_against_the_target():
    history = History()
    history.add(TrainingStarted(Path(), "cpu", 0, measured(PHASES), 1, 1))
    assert history.errors() is None
    history.add(MetricsMeasured(3, measured(PHASES, 0.1), 0.1, True))
    assert history.errors()[0] == pytest.approx(0.1)
    assert "fractions off by 0.100" in score_line(history)


@pytest.mark.parametrize("background", ["#262930", "#efebe9"])
def test_every_phase_can_be_seen_on_both_themes(background):
    from napari_superres.data.phases import PALETTE

    assert all(contrast(readable(colour, background), background) >= 3 for colour in PALETTE)


def test_every_engine_setting_becomes_a_dial_with_its_description():
    specs = field_specs(EngineSettings)
    assert {spec.name for spec in specs} == set(EngineSettings.model_fields)
    assert all(spec.tooltip for spec in specs)


@pytest.mark.parametrize("preset", list(Preset))
def test_dials_give_back_what_they_were_given(preset):
    engine = PRESETS[preset]
    texts = {
        name: from_text(EngineSettings, name, to_text(EngineSettings, name, value))
        for name, value in engine
    }
    assert engine.replace(**texts) == engine


def test_after_a_roll_back_the_curves_go_on_from_where_it_went_back_to() -> None:
    history = History()
    for step in (10, 20, 30):
        history.add(StepCompleted(step, 1.0, None, None, {"generator": step}))
    history.add(RolledBack(30, 10, "", 1e-3, 2))
    history.add(StepCompleted(12, 1.0, None, None, {"generator": 12}))
    assert history.losses["generator"].steps == [10, 12]

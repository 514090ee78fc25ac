"""Options of `train` from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_superres.config import PRESETS, Preset

TOML = """
low_res = "low.tif"
high-res = ["high.tif"]
scale_factor = 4
phase_map = "0:0,1:1,2:0"
seed = 7

[engine]
crop = 32
batch = 1
"""


@pytest.fixture
def settings(pair, tmp_path) -> Path:
    file = tmp_path / "settings.toml"
    file.write_text(TOML)
    return file


def trained(cli, engine, *arguments):
    result = cli("train", *arguments, "--steps", 1)
    assert (result.status, result.err) == (0, "")
    return engine.training[-1]


def test_a_file_says_what_options_would_say(cli, engine, settings, pair) -> None:
    asked = trained(cli, engine, "--settings", settings, "--run", "here")
    same = ("--scale-factor", 4, "--phase-map", "0:0,1:1,2:0", "--seed", 7)
    dials = ("--set", "crop=32", "--set", "batch=1")
    written = trained(cli, engine, *pair.options, *same, *dials, "--run", "here")
    assert asked["settings"] == written["settings"]
    assert asked["settings"].engine.crop == 32


def test_the_command_line_wins_over_the_file_dial_by_dial(cli, engine, settings) -> None:
    options = ("--settings", settings, "--seed", 1, "--preset", "standard", "--set", "batch=3")
    found = trained(cli, engine, *options)["settings"]
    assert (found.seed, found.preset) == (1, Preset.STANDARD)
    expected = PRESETS[Preset.STANDARD].replace(crop=32, batch=3)
    assert found.engine == expected


def test_the_settings_of_a_run_are_taken_without_its_inputs(cli, engine, pair, tmp_path) -> None:
    dials = ("--set", "crop=16", "--phase-map", "0:0,1:1,2:0", "--scale-factor", "4,2,2")
    pair_alone = ("--voxel-size", "0.4,0.2,0.2")
    first = trained(cli, engine, *pair.options, *dials, *pair_alone)["settings"]
    config = {"format_version": 1, "settings": json.loads(first.model_dump_json())}
    (tmp_path / "config.json").write_text(json.dumps(config))
    file = ("--settings", tmp_path / "config.json")
    again = trained(cli, engine, *file, *pair.options, *pair_alone)
    assert again["settings"] == first
    other = trained(cli, engine, *file, *pair.options, *pair_alone, "--preset", "standard")
    assert other["settings"].engine == PRESETS[Preset.STANDARD].replace(crop=16)


def test_paths_hold_variables_and_start_at_the_file(cli, engine, pair, tmp_path, monkeypatch):
    monkeypatch.setenv("MATERIAL", "inputs")
    (tmp_path / "inputs").mkdir()
    for file in (pair.low_res, pair.high_res):
        file.rename(tmp_path / "inputs" / file.name)
    values = {"low_res": "$MATERIAL/low.tif", "high_res": "inputs/high.tif"}
    values |= {"scale_factor": "4", "phase_map": {"0": 0, "1": 1, "2": 0}}
    (tmp_path / "settings.json").write_text(json.dumps(values))
    asked = trained(cli, engine, "--settings", tmp_path / "settings.json")
    assert asked["pair"].low_res.shape == (12, 12, 12)


def test_an_option_of_no_value_is_left_out(cli, engine, pair, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    nothing = dict.fromkeys(("run", "warm_start", "augment_with", "one_sided", "minutes"))
    values = {"phase_map": "0:0,1:1,2:0", "engine": {"crop": 16}}
    (tmp_path / "settings.json").write_text(json.dumps(nothing | values))
    asked = trained(cli, engine, "--settings", "settings.json", *pair.options)
    assert asked["run"] == Path("superres-run")
    assert asked["settings"].warm_start is None


def test_a_file_marked_as_utf_8_is_read_as_any(cli, engine, settings) -> None:
    settings.write_text(TOML, encoding="utf-8-sig")
    assert trained(cli, engine, "--settings", settings)["settings"].seed == 7


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"kind": "synthesis", "settings": {"size": 64}}, "a run of synthesis"),
        ({"settings": {"preset": "perfect"}}, "of the preset perfect"),
    ],
)
def test_the_settings_of_another_kind_of_run_are_refused(
    cli, engine, pair, tmp_path, config, told
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"format_version": 1} | config))
    result = cli("train", "--settings", tmp_path / "config.json", *pair.options)
    assert (result.status, told in result.err) == (2, True), result.err
    assert not engine.training


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("s.toml", "low_ress = 1", "s.toml has low_ress. The names that there are: "),
        ("s.toml", "low_res = '$NOT_SET/a.tif'", "with a variable that is not set"),
        ("s.toml", "[engine]\ncropp = 1", "In s.toml engine is {'cropp': 1}"),
        ("s.toml", "engine = 3", "A table is needed of"),
        ("s.toml", "seed = ", "cannot be read"),
        ("s.json", "[]", "holds no settings by name"),
        ("s.ini", "", "A .toml or .json file is needed"),
        ("s.toml", "seed = 'one'", "--seed"),
    ],
)
def test_what_is_wrong_in_a_file_is_told(cli, engine, pair, tmp_path, name, text, told) -> None:
    (tmp_path / name).write_text(text)
    result = cli("train", "--settings", tmp_path / name, *pair.options)
    assert result.status == 2
    assert told in result.err
    assert not engine.training


def test_a_missing_file_is_told(cli, engine, tmp_path) -> None:
    result = cli("train", "--settings", tmp_path / "none.toml")
    assert result.status == 2
    assert "There is no file" in result.err


def test_phases_get_names_and_low_res_phases_those_of_their_parts(cli, engine, pair) -> None:
    names = ("--phase-names", "0:pore, 1:active material,2:binder")
    result = cli("train", *pair.options, "--phase-map", "0:0,1:1,2:0", *names, "--steps", 1)
    low_res = engine.training[-1]["pair"].low_res
    assert [phase.name for phase in low_res.phases] == ["pore + binder", "active material"]
    assert "active material: 0." in result.out


@pytest.mark.parametrize("names", ["pore", "0:pore,0:void", "7:seven", "0:"])
def test_names_of_what_is_not_there_are_refused(cli, engine, pair, names) -> None:
    result = cli("train", *pair.options, "--phase-map", "0:0,1:1,2:0", "--phase-names", names)
    assert result.status == 2
    assert "--phase-names" in result.err

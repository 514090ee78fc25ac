import inspect
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from pydantic import Field
from typer.testing import CliRunner

from napari_superres.cli import common, values
from napari_superres.cli.fields import Fields, with_options
from napari_superres.config import FrozenModel, TrainingSettings, describe
from napari_superres.errors import OutputError, SettingsError


def test_pairs_are_read_as_high_res_to_low_res() -> None:
    assert values.parse_pairs("0:0, 1:1,2:0", "--phase-map") == {0: 0, 1: 1, 2: 0}


@pytest.mark.parametrize("text", ["", "0", "0:1:2", "a:b", "0:0,", "-1:0", "0:0,0:1"])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--phase-map"):
        values.parse_pairs(text, "--phase-map")


def test_a_region_is_three_half_open_ranges() -> None:
    assert values.parse_region("0:16,8:24,0:32") == ((0, 16), (8, 24), (0, 32))
    assert values.parse_region(None) is None


@pytest.mark.parametrize("text", ["0:4", "0:4,0:4,4:4", "-1:4,0:4,0:4", "0:4,0:4,a:b", ":,:,:"])
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--region"):
        values.parse_region(text)


def test_a_voxel_size_is_one_number_or_three() -> None:
    assert values.parse_voxel_size("0.4") == (0.4, 0.4, 0.4)
    assert values.parse_voxel_size("0.4,0.2,0.1") == (0.4, 0.2, 0.1)


@pytest.mark.parametrize("text", ["0", "-1", "1,2", "big", "nan", "inf"])
def test_what_is_no_voxel_size_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--voxel-size"):
        values.parse_voxel_size(text)


def test_dials_are_read_by_the_type_of_the_setting() -> None:
    changes = ["crop=16", "discriminator-channels=[8,16]", "noise=off", "clip_norm=null"]
    assert values.parse_changes(changes) == {
        "crop": 16,
        "discriminator_channels": (8, 16),
        "noise": "off",
        "clip_norm": None,
    }


@pytest.mark.parametrize("change", ["crop", "cropp=16", "=1"])
def test_an_unknown_dial_is_refused_with_the_names_there_are(change: str) -> None:
    with pytest.raises(SettingsError, match="slices_per_axis"):
        values.parse_changes([change])


def test_a_free_name_counts_up(tmp_path: Path) -> None:
    wanted = tmp_path / "run"
    assert common.free_name(wanted) == wanted
    wanted.mkdir()
    (tmp_path / "run-2").mkdir()
    assert common.free_name(wanted) == tmp_path / "run-3"


def test_text_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        common.write_text(tmp_path / "file" / "numbers.json", "{}")


def test_help_comes_from_the_settings_descriptions(cli) -> None:
    shown = " ".join(cli("train", "--help").out.split())
    assert describe(TrainingSettings, "imaging") in shown


class Kiln(FrozenModel):
    """Settings of no command."""

    heat: float = Field(20.0, ge=0, description="How hot; empty for a guess.")
    shelves: tuple[int, ...] = Field((), description="Which shelves.")
    gas: str | None = Field(None, description="Which gas.")


def test_a_field_is_an_option_by_itself() -> None:
    given = []

    @with_options
    def fire(*, kiln: Annotated[Kiln, Fields(Kiln)], pots: int = 1) -> None:
        given.append((kiln, pots))

    app = typer.Typer()
    app.command()(fire)
    arguments = ["--heat", "900", "--shelves", "1", "--shelves", "2"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert given == [(Kiln(heat=900, shelves=(1, 2)), 1)]
    assert "How hot; left out for a guess." in CliRunner().invoke(app, ["--help"]).output


def test_a_field_that_another_parameter_names_is_its_alone() -> None:
    @with_options
    def fire(
        *,
        gas: Annotated[dict[str, Any], Fields(Kiln, ("gas",))],
        others: Annotated[dict[str, Any], Fields(Kiln)],
    ) -> None:
        assert (gas, others) == ({"gas": "air"}, {"heat": 20.0})

    assert list(inspect.signature(fire).parameters) == ["gas", "heat", "shelves"]
    fire(gas="air", heat=20.0)

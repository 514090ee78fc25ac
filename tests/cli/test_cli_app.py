from __future__ import annotations

import pytest

from napari_superres import __version__
from napari_superres.cli import info, main, panel
from napari_superres.cli.app import repeat_options
from napari_superres.errors import DeviceError, OutOfMemoryError
from napari_superres.runs import device

COMMANDS = (
    "demo",
    "train",
    "resume",
    "checkpoints",
    "generate",
    "measure",
    "simulate-low-res",
    "import-reference",
    "synthesise",
    "translate",
    "info",
)


def test_without_a_command_the_panel_opens(cli, monkeypatch) -> None:
    opened = []
    monkeypatch.setattr(panel, "open_panel", lambda: opened.append(True))
    assert cli().status == 0
    assert opened == [True]


def test_without_napari_a_line_says_what_to_install(cli, monkeypatch) -> None:
    monkeypatch.setattr(panel, "napari_is_installed", lambda: False)
    result = cli()
    assert result.status == 2
    assert "napari[pyqt6]" in result.err


def test_without_a_display_a_line_names_the_other_commands(cli, monkeypatch) -> None:
    monkeypatch.setattr(panel, "napari_is_installed", lambda: True)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(panel.sys, "platform", "linux")
    result = cli()
    assert result.status == 1
    assert "needs a display" in result.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli, command: str) -> None:
    result = cli(command, "--help")
    assert result.status == 0
    assert command in result.out


def test_the_version_is_shown(cli) -> None:
    assert cli("--version").out.strip() == f"napari-superres {__version__}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["train"],
        ["train", "--low-res", "a.tif", "--high-res", "b.tif", "--imaging", "guessed"],
        ["train", "--low-res", "a.tif", "--high-res", "b.tif", "--seed", "one"],
        ["generate", "run", "--bogus"],
        ["generate", "run", "--realisations", "0"],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(cli, arguments: list[str]) -> None:
    result = cli(*arguments)
    assert result.status == 2
    assert result.err.startswith("napari-superres: ")
    assert result.err.count("\n") == 1


def test_an_unexpected_error_is_one_line_and_status_1(cli, monkeypatch) -> None:
    monkeypatch.setattr(info, "version_of", lambda name: 1 / 0)
    result = cli("info")
    assert result.status == 1
    assert result.err == (
        "napari-superres: Unexpected ZeroDivisionError: division by zero. "
        "Add --debug to see where.\n"
    )


def test_debug_shows_where_an_unexpected_error_came_from(monkeypatch) -> None:
    monkeypatch.setattr(info, "version_of", lambda name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["info", "--debug"])


def test_a_failure_of_the_engine_is_one_line_and_status_1(cli, pair, engine, tmp_path) -> None:
    def fail() -> None:
        raise OutOfMemoryError("The device is full.", "A step needs 8 GiB.", "Take smaller crops.")

    engine.during = fail
    result = cli("resume", tmp_path)
    assert result.status == 1
    assert result.err == (
        "napari-superres: The device is full. A step needs 8 GiB. Take smaller crops.\n"
    )


def test_high_res_takes_several_files() -> None:
    arguments = ["train", "--high-res", "a.tif", "b.tif", "--anisotropic"]
    expected = ["train", "--high-res", "a.tif", "--high-res", "b.tif", "--anisotropic"]
    assert repeat_options(arguments) == expected


def test_info_names_versions_and_devices(cli) -> None:
    result = cli("info")
    assert result.status == 0
    assert __version__ in result.out
    assert "cpu" in result.out


def test_info_goes_on_where_a_card_does_not_answer(cli, monkeypatch) -> None:
    def fail(wanted: str) -> str:
        raise DeviceError("The device cuda:0 does not answer: out of memory.")

    monkeypatch.setattr(device, "choose_device", fail)
    result = cli("info")
    assert result.status == 0
    assert result.out.splitlines()[-2].endswith("cuda:0 does not answer: out of memory.")

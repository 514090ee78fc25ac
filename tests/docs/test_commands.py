"""Every command in the documentation is one that the program takes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import typer

from napari_superres.cli.app import app, repeat_options
from tests.docs.pages import PAGES, ROOT, commands, name_of

WITH_COMMANDS = [page for page in PAGES if commands(page)]


def parse(arguments: list[str]) -> None:
    """Parse a command as the program would, without running it."""
    command, rest = typer.main.get_command(app), repeat_options(arguments)
    context, name = None, "napari-superres"
    while True:
        context = command.make_context(name, rest, parent=context)
        if not hasattr(command, "commands"):
            return
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, command, rest = command.resolve_command(context, rest)


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_the_program_takes_every_command_of_a_page(page: Path, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SUPERRES_DATA", "data")
    for arguments in commands(page):
        if "--help" not in arguments:
            parse(arguments)


@pytest.mark.parametrize("wrong", ["trian --run x", "train --no-such-thing", "generate"])
def test_a_command_that_is_none_would_be_noticed(wrong: str) -> None:
    with pytest.raises(Exception, match=r"No such|Missing"):
        parse(wrong.split())


def test_the_reference_is_what_the_code_says() -> None:
    file = ROOT / "docs" / "generate_reference.py"
    spec = importlib.util.spec_from_file_location("generate_reference", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main(["--check"]) == 0, "run python docs/generate_reference.py"

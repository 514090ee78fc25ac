"""The command `napari-superres`: entry, errors in one line, exit status.

Exit status: 0 done, 2 wrong input, 1 a failure, 130 interrupted with the
weights saved.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from napari_superres import __version__
from napari_superres.cli import (
    demo,
    generate,
    import_reference,
    info,
    measure,
    panel,
    simulate,
    synthesise,
    train,
    translate,
)
from napari_superres.cli.common import INTERRUPTED
from napari_superres.errors import SuperResError

NAME = "napari-superres"
WRONG_INPUT, FAILURE = 2, 1
TAKES_SEVERAL = ("--high-res", "--images", "--low-res-images", "--high-res-images")

app = typer.Typer(
    name=NAME,
    help="Fuse a coarse segmented 3D volume with sharp segmented 2D slices into a sharp 3D "
    "volume. Without a command, napari opens with the panel docked.",
    add_completion=False,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)
app.command("demo")(demo.demo)
app.command("train")(train.train)
app.command("resume")(train.resume)
app.command("checkpoints")(info.checkpoints)
app.command("generate")(generate.generate)
app.command("measure")(measure.measure)
app.command("simulate-low-res")(simulate.simulate_low_res)
app.command("import-reference")(import_reference.import_reference)
app.add_typer(synthesise.app, name="synthesise")
app.add_typer(translate.app, name="translate")
app.command("info")(info.info)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def _open_napari(
    context: typer.Context,
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Show the version."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of a failure."),
) -> None:
    if context.invoked_subcommand is None:
        panel.open_panel()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : arguments after the program's name; None to take the process's own

    Returns
    -------
    int
        The exit status.
    """
    _prepare_streams()
    arguments = repeat_options(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        status = app(arguments, prog_name=NAME, standalone_mode=False)
    except SuperResError as error:
        if debug:
            raise
        return _complain(str(error), error.exit_status)
    except KeyboardInterrupt:
        return _complain("Interrupted.", INTERRUPTED)
    except Exception as error:
        if hasattr(error, "format_message"):  # a usage error of typer
            return _complain(_usage(error), WRONG_INPUT)
        if debug:
            raise
        cause = str(error) or "no further message"
        return _complain(
            f"Unexpected {type(error).__name__}: {cause}. Add --debug to see where.", FAILURE
        )
    return status if isinstance(status, int) else 0


def repeat_options(arguments: Sequence[str]) -> list[str]:
    """Let `--high-res` take several files: `--high-res a b` becomes `--high-res a --high-res b`."""
    result: list[str] = []
    option: str | None = None
    for argument in arguments:
        if argument.startswith("-"):
            option = argument if argument in TAKES_SEVERAL else None
        elif option and result[-1] != option:
            result.append(option)
        result.append(argument)
    return result


def _usage(error: Any) -> str:
    message = error.format_message().strip()
    command = getattr(getattr(error, "ctx", None), "command_path", NAME)
    return f"{message}{'' if message.endswith('.') else '.'} See {command} --help."


def _complain(message: str, status: int) -> int:
    line = " ".join(message.splitlines())
    print(f"{NAME}: {line}", file=sys.stderr)
    return status


def _prepare_streams() -> None:
    if os.environ.get("RANK", "0") != "0":  # of several processes the first speaks
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  until the end
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]

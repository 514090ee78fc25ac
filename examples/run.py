#!/usr/bin/env python3
"""One of the paper's cases, from its images to a measured volume, in one command.

    python examples/run.py case2_separator                   # 5 minutes of quick
    python examples/run.py case3_anode --minutes 20 --preset standard --output anode
    python examples/run.py case1_cathode --set batch=1       # options of "train" are passed on

It runs the three commands of the terminal that you would use for images of your own – train,
generate, measure – and prints them. In the output folder it leaves super-res.tif, picture.png,
report.html, report.json (the measures) and run/ (the training).

The images are looked for in $SUPERRES_DATA, else in ../shared/data beside the repository; those of
cases 2 and 3 are fetched from the authors' repository where there is neither.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from napari_superres.cli import main as superres
from napari_superres.cli.common import free_name
from napari_superres.errors import SuperResError

HERE = Path(__file__).resolve().parent
CASES = sorted(file.stem for file in HERE.glob("case*.toml"))
MINUTES = {"quick": 5.0, "standard": 30.0}
"""Minutes of training where none are asked for; the paper's design has none that are sensible."""
FETCHED = {
    "case2_separator": (2, ("high_res_rods.tif", None, "high_res_speckles.tif")),
    "case3_anode": (3, ("high_res.tif",)),
}
"""Cases that are public in full: their number, and the file of each set of slices."""


def main(arguments: list[str] | None = None) -> int:
    """Run one case and return the exit status of the first command that fails."""
    asked, passed_on = _parser().parse_known_args(arguments)
    settings = HERE / f"{asked.case}.toml"
    output = asked.output or free_name(Path(f"superres-{asked.case}"))
    budget = budget_of(asked)
    if not budget:
        return fail(f"The preset {asked.preset} needs --minutes or --steps.", 2)
    try:
        found = find_data(asked.case, output)
    except SuperResError as error:  # it could not be fetched
        return fail(str(error), error.exit_status)
    if not found:
        return fail(
            f"There are no images of {asked.case}: set SUPERRES_DATA to the folder that has "
            f"{asked.case}/low_res.tif.",
            2,
        )
    print(introduction(settings))
    run, volume = output / "run", output / "super-res.tif"
    train = ["train", "--settings", settings, "--preset", asked.preset, *budget]
    pages = ["--report", output / "report.html", "--picture", output / "picture.png"]
    for command in (
        [*train, "--run", run, *passed_on],
        ["generate", run, "--output", volume],
        ["measure", volume, "--run", run, *pages],
    ):
        words = [str(word) for word in command]
        print("\n$ napari-superres " + shlex.join(words), flush=True)
        if status := superres(words):
            return status
    return 0


def budget_of(asked: argparse.Namespace) -> list[str]:
    """Return the budget as options of "train"; none where the preset has no sensible one."""
    minutes = asked.minutes
    if minutes is None and asked.steps is None:
        minutes = MINUTES.get(asked.preset)
    of_time = [] if minutes is None else ["--minutes", f"{minutes:g}"]
    return of_time + ([] if asked.steps is None else ["--steps", str(asked.steps)])


def fail(message: str, status: int) -> int:
    """Say what is wrong and return the exit status."""
    print(" ".join(message.splitlines()), file=sys.stderr)
    return status


def find_data(case: str, output: Path) -> bool:
    """Point SUPERRES_DATA to where the case's images are; fetch them if that can be done."""
    asked = os.environ.get("SUPERRES_DATA")
    folder = Path(asked or HERE.parents[1] / "shared" / "data").resolve()
    if (folder / case / "low_res.tif").is_file():
        os.environ["SUPERRES_DATA"] = str(folder)
        return True
    if case not in FETCHED or asked:
        return False
    fetch(case, output / "published" / case)
    os.environ["SUPERRES_DATA"] = str((output / "published").resolve())
    return True


def fetch(case: str, folder: Path) -> None:
    """Fetch a case from the authors' repository into files named as the settings expect."""
    import numpy as np

    from napari_superres.data.examples.published import fetch_published
    from napari_superres.data.files.tiff import write_labels_tiff
    from napari_superres.data.phases import values_of

    number, names = FETCHED[case]
    print(f"Fetching case {number} from the authors' repository", flush=True)
    pair = fetch_published(number).pair
    folder.mkdir(parents=True, exist_ok=True)
    low_res, slices = pair.low_res, pair.high_res
    write_labels_tiff(
        folder / "low_res.tif", low_res.values, voxel_size=None, phases=low_res.phases
    )
    for name, images in zip(names, slices.sets, strict=True):
        if name is not None:
            stack = np.stack([values_of(image, slices.phases) for image in images])
            write_labels_tiff(folder / name, stack, voxel_size=None, phases=slices.phases)


def introduction(settings: Path) -> str:
    """Return what the file of settings says about the case: its first lines, comments all."""
    lines = settings.read_text(encoding="utf-8").splitlines()
    end = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join(line.removeprefix("#").strip() for line in lines[:end])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--minutes", type=float, help="of training; 5 for quick, 30 for standard")
    parser.add_argument("--steps", type=int, help="of training; with minutes, the first that ends")
    parser.add_argument("--preset", choices=("quick", "standard", "paper"), default="quick")
    parser.add_argument("--output", type=Path, help="folder; left out: superres-CASE")
    return parser


if __name__ == "__main__":
    sys.exit(main())

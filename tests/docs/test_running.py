"""The tutorials and how-tos are done on tiny data: each command in turn, as a reader would."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from napari_superres.cli import main
from napari_superres.config import PRESETS, Preset
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.fusion.networks.designs import build_generator
from napari_superres.fusion.networks.reference import _names
from napari_superres.scale_factor import parse_scale_factor
from tests.docs.pages import ROOT, commands, python_blocks

PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "docs/tutorials/first-steps.md",
        "docs/how-to/scale-factor.md",
        "docs/how-to/when-to-stop.md",
        "docs/how-to/read-results.md",
        "docs/how-to/anisotropic.md",
        "docs/how-to/big-volumes.md",
        "docs/how-to/remote.md",
        "docs/how-to/scarce-images.md",
        "docs/how-to/reference-weights.md",
    )
]
pytestmark = pytest.mark.timeout(1200)  # pages train several times; machines can be busy
LEFT_OUT = ([], ["demo"])
"""A window, and five minutes of training: tested in their own places."""
TINY = [
    "channels=4", "max_channels=8", "discriminator_channels=[4,8]", "crop=16", "slices_per_axis=2",
    "precision=float32", "measure_every=1",
]  # fmt: skip
TINY_STYLE = [
    "base_channels=64", "max_channels=8", "latent=8", "batch=4", "measured_images=4",
]  # fmt: skip
TINY_TRANSLATION = [
    "channels=8", "min_channels=4", "residual_blocks=1", "discriminator_channels=4", "patch=8",
    "batch=2", "measured_images=2",
]  # fmt: skip


def blocks(shape: tuple[int, ...], side: int, n_phases: int, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, n_phases, [-(-s // side) for s in shape])
    for axis in range(len(shape)):
        coarse = np.repeat(coarse, side, axis)
    return coarse[tuple(slice(size) for size in shape)].astype(np.uint8)


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with every file that the pages name."""
    folder = tmp_path_factory.mktemp("reader")
    size = {"voxel_size": (0.4, 0.4, 0.4)}, {"voxel_size": (0.1, 0.1, 0.1)}
    write_labels_tiff(folder / "ct.tif", blocks((12, 12, 12), 3, 2), **size[0])
    write_labels_tiff(folder / "whole.tif", blocks((14, 12, 12), 3, 2, 1), **size[0])
    for name in ("truth.tif", "fine.tif"):
        write_labels_tiff(folder / name, blocks((48, 48, 48), 6, 3), **size[1])
    for name in ("sem.tif", "sem-x.tif"):
        write_labels_tiff(folder / name, blocks((1, 80, 80), 8, 3), **size[1])
    grey = blocks((64, 64), 4, 4) * 60 + np.arange(64, dtype=np.uint8)
    tifffile.imwrite(folder / "grey.tif", grey)
    tifffile.imwrite(folder / "grey-low.tif", grey[::2, ::2])
    engine = PRESETS[Preset.PAPER].replace(noise="input", residual_blocks=1)
    generator = build_generator(engine, parse_scale_factor("4"), 2, 3)
    own = generator.state_dict()
    torch.save({name: own[key] for key, name in _names(generator)}, folder / "weights.pt")
    first = (
        "train --low-res ct.tif --high-res sem.tif --phase-map 0:0,1:1,2:0 --run my-run --steps 1"
    )
    with contextlib.chdir(folder):
        run(trained(first.split()))
    return folder


@pytest.fixture
def reader(materials: Path, tmp_path: Path) -> Iterator[Path]:
    """Go to a fresh copy of the files."""
    place = tmp_path / "reader"
    shutil.copytree(materials, place)
    with contextlib.chdir(place):
        yield place


def trained(arguments: list[str]) -> list[str]:
    """Return a command with a step of training in place of minutes, and tiny networks."""
    if arguments[0] == "train" and "--help" not in arguments:
        dials = TINY
    elif arguments[:2] == ["synthesise", "train"]:
        dials = TINY_STYLE
        arguments = ["16" if argument == "64" else argument for argument in arguments]
    elif arguments[:2] == ["translate", "train"]:
        dials = TINY_TRANSLATION
    else:
        dials = []
    for name, value in (("--minutes", "0.002"), ("--steps", "1"), ("--count", "2")):
        if name in arguments:
            arguments[arguments.index(name) + 1] = value
    return [*arguments, *(part for dial in dials for part in ("--set", dial))]


def run(arguments: list[str]) -> None:
    told = io.StringIO()
    with contextlib.redirect_stderr(told):
        status = main(arguments)
    assert status == 0, f"{arguments}: {told.getvalue()}"


@pytest.mark.usefixtures("small_reports")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_reader_can_do_what_a_page_says(page: Path, reader: Path) -> None:
    makes_its_own = any("my-run" in words and "train" in words for words in commands(page))
    if makes_its_own:
        shutil.rmtree(reader / "my-run")
    done = 0
    for arguments in commands(page):
        if arguments[:1] not in LEFT_OUT:
            run(trained(arguments))
            done += 1
    assert done


def test_the_engine_runs_from_python_as_the_page_shows(reader: Path, monkeypatch) -> None:
    tiny = PRESETS[Preset.QUICK].replace(
        channels=4, max_channels=8, discriminator_channels=(4, 8), crop=16, slices_per_axis=2,
        precision="float32", measure_every=1,
    )  # fmt: skip
    monkeypatch.setitem(PRESETS, Preset.QUICK, tiny)
    names: dict[str, object] = {}
    for block in python_blocks(ROOT / "docs" / "how-to" / "python.md"):
        exec(block.replace("steps=50", "steps=1"), names)
    labels = names["labels"]
    assert isinstance(labels, np.ndarray)
    assert labels.shape == (48, 48, 48)


def test_grey_images_are_segmented_as_the_page_shows(reader: Path) -> None:
    (block,) = python_blocks(ROOT / "docs" / "how-to" / "segment.md")
    exec(block, {})
    assert set(np.unique(tifffile.imread("sem.tif"))) == {0, 1, 2}

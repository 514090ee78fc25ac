"""The wheel and the source distribution: small, whole, with licence and manifest."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LARGEST_WHEEL = 1_000_000
"""Bytes: code alone. Weights, data and pictures belong elsewhere."""
LARGEST_SOURCE = 10_000_000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def wheel(built: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(built.glob("*.whl")))


def test_the_wheel_is_small_and_holds_the_package_alone(built: Path, wheel) -> None:
    assert next(built.glob("*.whl")).stat().st_size < LARGEST_WHEEL
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"napari_superres"}


def test_the_wheel_has_manifest_types_and_licence(wheel) -> None:
    names = wheel.namelist()
    assert "napari_superres/napari.yaml" in names
    assert "napari_superres/py.typed" in names
    (licence,) = [name for name in names if name.endswith("licenses/LICENSE")]
    assert wheel.read(licence).decode() == (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_metadata_are_those_of_a_napari_plugin_without_a_choice_of_qt(wheel) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
    metadata = Parser().parsestr(wheel.read(name).decode())
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert "Framework :: napari" in metadata.get_all("Classifier", [])
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert not [line for line in needed if line.lower().startswith(("napari", "pyqt", "pyside"))]


def test_the_source_distribution_has_all_that_tests_and_docs_need(built: Path) -> None:
    file = next(built.glob("*.tar.gz"))
    assert file.stat().st_size < LARGEST_SOURCE
    with tarfile.open(file) as source:
        names = {"/".join(name.split("/")[1:2]) for name in source.getnames()}
    wanted = {"src", "tests", "docs", "benchmarks", "examples", "mkdocs.yml", "LICENSE", "run.py"}
    assert wanted <= names

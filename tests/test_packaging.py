from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "napari_superres"
HEAVY = ("torch", "napari", "qtpy", "magicgui", "matplotlib", "zarr")
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"napari", "qtpy", "PyQt5", "PyQt6", "PySide2", "PySide6",
                                  "magicgui", "superqt", "pyqtgraph", "npe2"}:
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Block())
"""


def run_python(code: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def imported_by(module: str) -> set[str]:
    code = f"import sys, json, {module}; print(json.dumps(sorted(sys.modules)))"
    return {name.split(".")[0] for name in json.loads(run_python(code))}


@pytest.mark.parametrize("module", ["napari_superres", "napari_superres.config"])
def test_importing_the_package_imports_nothing_heavy(module: str) -> None:
    assert imported_by(module).isdisjoint(HEAVY)


def test_importing_the_command_line_imports_neither_torch_nor_napari() -> None:
    assert imported_by("napari_superres.cli").isdisjoint({"torch", "napari", "qtpy"})


def test_importing_the_widgets_does_not_import_torch() -> None:
    assert "torch" not in imported_by("napari_superres.widgets")


@pytest.mark.parametrize(
    "module",
    [
        "napari_superres.cli",
        "napari_superres.data.files.segmented",
        "napari_superres.fusion.training",
        "napari_superres.generation.render",
        "napari_superres.demo",
    ],
)
def test_the_engine_imports_where_napari_and_qt_are_not_installed(module: str) -> None:
    run_python(f"{BLOCK}\nimport {module}")


def test_imports_between_rooms_go_down_only() -> None:
    linter = pytest.importorskip("importlinter.cli")
    assert linter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_the_manifest_is_valid_and_its_commands_import() -> None:
    npe2 = pytest.importorskip("npe2")
    manifest = npe2.PluginManifest.from_file(PACKAGE / "napari.yaml")
    assert manifest.name == "napari-superres-fusion"
    manifest.validate_imports()


def test_the_manifest_has_what_catalogues_of_plugins_sort_by() -> None:
    npe2 = pytest.importorskip("npe2")
    manifest = npe2.PluginManifest.from_file(PACKAGE / "napari.yaml")
    assert manifest.display_name == "SuperRes Fusion"
    assert "Image Processing" in manifest.categories


def test_the_root_manifest_is_the_packaged_one() -> None:
    linked, packaged = ROOT / "napari.yaml", PACKAGE / "napari.yaml"
    assert linked.read_text() in (packaged.read_text(), "src/napari_superres/napari.yaml")


def test_the_distribution_and_its_command_are_named_as_the_readme_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == "napari-superres-fusion"
    assert project["scripts"] == {"napari-superres": "napari_superres.cli:main"}


def test_continuous_integration_calls_only_what_the_readme_has() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    calls = [line for line in lines if line.startswith("python3")]
    assert calls
    assert all(call in readme for call in calls)


def test_the_engine_of_this_version_is_named_in_the_changelog() -> None:
    from napari_superres import __version__

    assert f"[{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

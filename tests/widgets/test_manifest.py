import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from npe2 import PluginManifest
from npe2.manifest.utils import import_python_name
from qtpy.QtCore import QThreadPool

import napari_superres
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.phases import Phase

MANIFEST = Path(napari_superres.__file__).with_name("napari.yaml")
CONTRIBUTIONS = PluginManifest.from_file(MANIFEST).contributions
PHASES = (Phase(0, "pore", "#20242c"), Phase(128, "solid", "#5b9bd5"))


@pytest.mark.parametrize("command", CONTRIBUTIONS.commands, ids=lambda command: command.id)
def test_every_command_can_be_imported(command):
    assert callable(import_python_name(command.python_name))


def test_opening_the_panel_imports_no_torch():
    names = [command.python_name.replace(":", ".") for command in CONTRIBUTIONS.commands]
    modules = sorted({name.rsplit(".", 1)[0] for name in names})
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_step_has_its_place_in_the_plugins_menu():
    names = [widget.display_name for widget in CONTRIBUTIONS.widgets]
    assert names[0] == "SuperRes Fusion"
    steps = ["Data", "Train", "Monitor", "Generate", "Compare", "Measure", "Export"]
    assert names[1:8] == [f"{number} {step}" for number, step in enumerate(steps, 1)]
    assert {"Segment greyscale", "Synthesise images", "Translate images"} <= set(names)


def test_every_step_works_by_itself(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    for widget in CONTRIBUTIONS.widgets:
        command = next(c for c in CONTRIBUTIONS.commands if c.id == widget.command)
        step = import_python_name(command.python_name)(viewer)
        viewer.window.add_dock_widget(step, name=widget.display_name)
    # a step by itself looks for devices in a thread, which must not outlive the window
    idle = QThreadPool.globalInstance().activeThreadCount
    qtbot.waitUntil(lambda: idle() == 0, timeout=60_000)


def test_files_written_here_open_with_names_colours_and_voxel_size(tmp_path):
    from napari_superres.widgets.data.opening import get_reader

    path = tmp_path / "ours.tif"
    values = np.zeros((3, 20, 20), np.uint8)
    values[1] = 128
    write_labels_tiff(
        path, values, voxel_size=(0.3, 0.2, 0.1), offset=(1.5, 1.0, 0.5), phases=PHASES
    )
    ((data, arguments, kind),) = get_reader(str(path))(str(path))
    assert kind == "labels"
    assert set(np.unique(data)) == {1, 2}
    assert arguments["scale"] == pytest.approx((0.3, 0.2, 0.1))
    assert arguments["translate"] == pytest.approx((1.5, 1.0, 0.5))


def test_other_files_are_left_to_other_readers(tmp_path):
    import tifffile

    from napari_superres.widgets.data.opening import get_reader

    tifffile.imwrite(tmp_path / "plain.tif", np.zeros((4, 4), np.uint8))
    assert get_reader(str(tmp_path / "plain.tif")) is None
    assert get_reader(str(tmp_path / "absent.tif")) is None

"""What all tests share: a display or a reason, real data or a reason."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
# The tests' tensors are tiny: a second thread would only wait, and be waited for. It would
# also add numbers up in another order, in this process or in one that a test starts.
os.environ["OMP_NUM_THREADS"] = "1"

ROOT = Path(__file__).resolve().parents[1]


def why_no_qt() -> str:
    """Return why Qt cannot be loaded, or nothing."""
    try:
        from qtpy import QtWidgets  # noqa: F401
    except (ImportError, RuntimeError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


NO_QT = why_no_qt()
collect_ignore = ["widgets"] if NO_QT else []


def pytest_report_header() -> str | None:
    return f"tests/widgets left out, as Qt cannot be loaded: {NO_QT}" if NO_QT else None


def has_display() -> bool:
    return not sys.platform.startswith("linux") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") and not NO_QT and shutil.which("Xvfb"):
        config.add_cleanup(own_display())


def own_display() -> Callable[[], None]:
    """Open a virtual display for this worker alone, and return what closes it.

    On a shared display one worker's window takes the focus from the other's.
    """
    reading, writing = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(writing),
        "-screen",
        "0",
        "1440x900x24",
        "-nolisten",
        "tcp",
    ]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with open(reading) as answer:
        os.environ["DISPLAY"] = f":{answer.readline().strip()}"
    os.environ.pop("WAYLAND_DISPLAY", None)

    def close() -> None:
        server.terminate()
        server.wait()

    return close


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if has_display():
        return
    skip = pytest.mark.skip(reason="needs a display: run under xvfb-run, or python3 run.py test")
    for item in items:
        if "make_napari_viewer" in " ".join(getattr(item, "fixturenames", ())) or (
            "qtbot" in getattr(item, "fixturenames", ())
        ):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Compute on one thread, also where torch was there before `OMP_NUM_THREADS` was set."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)


@pytest.fixture
def small_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a report measure 8 sub-volumes, not 256, where a test wants no more than a report."""
    from napari_superres.measures.report import numbers

    few = functools.partial(numbers.ReportOptions, count=8)
    monkeypatch.setattr(numbers, "ReportOptions", few)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of the published data, or skip."""
    folder = Path(os.environ.get("SUPERRES_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no published data in {folder}; set SUPERRES_DATA")
    return folder

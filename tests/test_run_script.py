"""The script behind the README's two commands."""

from __future__ import annotations

import importlib.util
import io
import sys
import urllib.error
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return run.py as a module that starts no process, on a Linux without GPU or display."""
    spec = importlib.util.spec_from_file_location("run_script", ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    monkeypatch.setattr(module.Path, "exists", lambda path: False)
    monkeypatch.setattr(module, "run", lambda command: pytest.fail(f"started {command}"))
    return module


def test_without_a_command_it_tells_which_there_are(script, capsys) -> None:
    assert script.main([]) == 0
    assert "run.py demo" in capsys.readouterr().out
    assert script.main(["dance"]) == 2


def test_an_old_python_is_told_so(script, monkeypatch, capsys) -> None:
    monkeypatch.setattr(script.sys, "version_info", (3, 10, 0))
    assert script.main(["demo"]) == 1
    assert "Python 3.11 or newer is needed" in capsys.readouterr().err


def test_a_machine_without_a_gpu_is_spared_cuda(script, monkeypatch) -> None:
    monkeypatch.setattr(script.urllib.request, "urlopen", lambda url, timeout: io.BytesIO())
    assert script.torch_options() == ["--extra-index-url", script.CPU_TORCH_INDEX]


def test_where_the_cpu_index_is_out_of_reach_pip_decides(script, monkeypatch, capsys) -> None:
    def refuse(url: str, timeout: float) -> None:
        raise urllib.error.URLError("unreachable")

    monkeypatch.setattr(script.urllib.request, "urlopen", refuse)
    assert script.torch_options() == []
    assert "cannot be reached" in capsys.readouterr().out


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_need_no_cpu_index(script, monkeypatch, platform: str) -> None:
    monkeypatch.setattr(script.sys, "platform", platform)
    assert script.torch_options() == []
    assert script.virtual_display() == []


def test_with_a_display_the_tests_use_it(script, monkeypatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    assert script.virtual_display() == []


def test_what_cannot_be_installed_is_named(script, monkeypatch, capsys) -> None:
    monkeypatch.setattr(script, "is_installed", lambda name: name != "xvfb")
    monkeypatch.setattr(script, "install_packages", lambda packages: False)
    assert script.virtual_display() == []
    assert "apt-get install xvfb\n" in capsys.readouterr().out


def test_a_package_may_have_a_newer_name(script, monkeypatch) -> None:
    answer = SimpleNamespace(stdout="un \nii \n")
    monkeypatch.setattr(script.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(script.subprocess, "run", lambda *args, **options: answer)
    assert script.is_installed("libglib2.0-0")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no apt")
def test_without_root_or_sudo_nothing_is_installed(script, monkeypatch) -> None:
    tools = {"apt-get": "/usr/bin/apt-get"}
    monkeypatch.setattr(script.shutil, "which", tools.get)
    monkeypatch.setattr(script.os, "geteuid", lambda: 1000)
    assert not script.install_packages(["xvfb"])

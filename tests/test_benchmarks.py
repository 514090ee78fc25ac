"""The scripts of `benchmarks/` are not run by the tests, but what they import has to be there."""

from __future__ import annotations

import importlib
import json
import runpy
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
IMPORTING = """
import importlib, sys
sys.path[:0] = sys.argv[1:3]
for name in sys.argv[3:]:
    importlib.import_module(name)
"""


def test_every_benchmark_imports(tmp_path: Path) -> None:
    names = sorted(file.stem for file in BENCHMARKS.glob("*.py"))
    places = [str(BENCHMARKS), str(BENCHMARKS.parent)]
    command = [sys.executable, "-c", IMPORTING, *places, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_memory_of_both_networks_can_be_asked_for_at_once(monkeypatch, capsys) -> None:
    asked = []

    def peak(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        asked.append((command[2], json.loads(command[4])))
        return subprocess.CompletedProcess(command, 0, stdout=str(2**30))

    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr(subprocess, "run", peak)
    monkeypatch.setattr(sys, "argv", ["training_memory.py", "light", "paper"])
    runpy.run_path(str(BENCHMARKS / "training_memory.py"), run_name="__main__")
    assert {network for network, _ in asked} == {"light", "paper"}
    assert "estimated" in capsys.readouterr().out


def test_each_mutation_finds_its_line_and_its_tests(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    mutations = importlib.import_module("mutations")
    for one in mutations.MUTATIONS:
        text = (mutations.ROOT / mutations.PACKAGE / one.file).read_text(encoding="utf-8")
        assert text.count(one.right) == 1, f"{one.file}: {one.right}"
        for tests in one.tests.split():
            file, _, name = tests.partition("::")
            assert f"def {name}" in (mutations.ROOT / file).read_text(encoding="utf-8"), tests

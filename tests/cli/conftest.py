"""A command line to call, a small pair to give it, and an engine that needs no torch."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from napari_superres.cli import main
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.events import (
    FinishReason,
    GenerationFinished,
    GenerationStarted,
    Measurement,
    MetricsMeasured,
    PartAssembled,
    StepCompleted,
    TileCompleted,
    TrainingFinished,
    TrainingStarted,
)

TARGET = Measurement({"pore": 0.4, "solid": 0.6}, {"pore|solid": 0.10})
FOUND = Measurement({"pore": 0.5, "solid": 0.5}, {"pore|solid": 0.12}, 0.01)


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    def call(*arguments: object) -> Result:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return call


@dataclass(frozen=True)
class Pair:
    low_res: Path
    high_res: Path

    @property
    def options(self) -> list[object]:
        return ["--low-res", self.low_res, "--high-res", self.high_res]


def blocks(shape: tuple[int, ...], block: int, n_phases: int, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, n_phases, [-(-s // block) for s in shape])
    for axis in range(len(shape)):
        coarse = np.repeat(coarse, block, axis)
    return coarse[tuple(slice(size) for size in shape)].astype(np.uint8)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    files = Pair(tmp_path / "low.tif", tmp_path / "high.tif")
    write_labels_tiff(files.low_res, blocks((12, 12, 12), 3, 2), voxel_size=(0.4, 0.4, 0.4))
    write_labels_tiff(files.high_res, blocks((1, 64, 64), 8, 3), voxel_size=(0.1, 0.1, 0.1))
    return files


@dataclass
class FakeEngine:
    """Stands for training and generation; remembers what it was asked."""

    training: list[dict[str, Any]] = field(default_factory=list)
    generations: list[dict[str, Any]] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def train(
        self, pair: Any, settings: Any, run_folder: Path, budget: Any, stop: Any, report: Any = None
    ) -> Iterator[object]:
        self.training.append(
            {"pair": pair, "settings": settings, "run": run_folder, "budget": budget}
        )
        return self.events(run_folder, stop)

    def resume(
        self, run_folder: Path, budget: Any, stop: Any, changes: Any = None, device: Any = None
    ) -> Iterator[object]:
        self.training.append(
            {"run": run_folder, "budget": budget, "changes": changes, "device": device}
        )
        return self.events(run_folder, stop)

    def events(self, run_folder: Path, stop: threading.Event) -> Iterator[object]:
        yield TrainingStarted(run_folder, "cpu", 0, TARGET, 1000, 2000, ("few slices",))
        yield StepCompleted(1, 1.0, 0.5, 61.0, {"generator": 0.1})
        yield MetricsMeasured(1, FOUND, 0.3, True)
        self.during()
        reason = FinishReason.STOPPED if stop.is_set() else FinishReason.COMPLETED
        yield TrainingFinished(reason, 2, 2.0, run_folder)

    def generate(
        self,
        run_folder: Path,
        settings: Any,
        low_res: Any = None,
        output: Any = None,
        stop: Any = None,
        **more: Any,
    ) -> Iterator[object]:
        asked = {"settings": settings, "low_res": low_res, "output": output}
        self.generations.append(asked | more)
        yield GenerationStarted((8, 8, 8), 2)
        yield TileCompleted(1, 2, 1.0)
        self.during()
        if stop.is_set():
            yield GenerationFinished(FinishReason.STOPPED)
        else:
            yield PartAssembled(1, 8)
            yield GenerationFinished(FinishReason.COMPLETED, path=output)

    def generate_many(self, *, output: Path, stop: Any, **asked: Any) -> Iterator[object]:
        output.mkdir(exist_ok=True)
        spread = {"pore": {"mean": 0.4, "sd": 0.01}, "solid": {"mean": 0.6, "sd": 0.01}}
        content = {"seeds": [0, 1], "volume_fractions": spread, "interface_areas": {}}
        (output / "spread.json").write_text(json.dumps(content))
        return self.generate(output=output, stop=stop, **asked)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    training = ModuleType("napari_superres.fusion.training")
    training.train, training.resume = fake.train, fake.resume  # type: ignore[attr-defined]
    render = ModuleType("napari_superres.generation.render")
    render.generate, render.generate_many = fake.generate, fake.generate_many  # type: ignore[attr-defined]
    render.Workers = lambda *asked: asked  # type: ignore[attr-defined]
    for module in (training, render):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return fake

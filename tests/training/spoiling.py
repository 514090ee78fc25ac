"""Tiny trainings that go wrong when asked to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from napari_superres.config import Budget
from napari_superres.events import TrainingEvent
from napari_superres.fusion.step import FusionLearner
from napari_superres.fusion.training import train
from tests.fusion.materials import TINY, tiny_pair, tiny_settings

Parts = Callable[[FusionLearner], Iterator[tuple[str, dict[str, torch.Tensor]]]]
NAN = torch.tensor(torch.nan)


def train_tiny(run: Path, steps: int, **engine: object) -> list[TrainingEvent]:
    settings = tiny_settings(engine=TINY.replace(**engine))
    return list(train(tiny_pair(), settings, run, Budget(steps=steps)))


def spoil(
    monkeypatch: pytest.MonkeyPatch,
    when: Callable[[FusionLearner], bool],
    error: Exception | None = None,
) -> None:
    """Let the loss be no number, or a step fail, when asked to."""
    whole: Parts = FusionLearner.parts

    def parts(trainer: FusionLearner) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
        yield from whole(trainer)
        if when(trainer):
            if error is not None:
                raise error
            yield "generator", {"generator": NAN}

    monkeypatch.setattr(FusionLearner, "parts", parts)


def rate(trainer: FusionLearner) -> float:
    return float(trainer.networks.generator_optimiser.param_groups[0]["lr"])

from __future__ import annotations

from pathlib import Path

import pytest

from napari_superres.config import Budget
from napari_superres.synthesis.training import train
from tests.synthesis.materials import tiny_images, tiny_settings


@pytest.fixture(scope="session")
def grey_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _trained(tmp_path_factory.mktemp("grey") / "run", 0)


@pytest.fixture(scope="session")
def phase_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _trained(tmp_path_factory.mktemp("phases") / "run", 3)


def _trained(folder: Path, phases: int) -> Path:
    list(train(tiny_images(phases), tiny_settings(), folder, Budget(steps=4)))
    return folder

from __future__ import annotations

from pathlib import Path

import pytest

from tests.translation.materials import run_of


@pytest.fixture(scope="module")
def grey_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("translation") / "run"
    run_of(folder, 3)
    return folder

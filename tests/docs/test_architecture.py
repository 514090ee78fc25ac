"""Every file and folder that architecture.md points to is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import FENCE, ROOT

PAGE = FENCE.sub("", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
PATHS = sorted(set(re.findall(r"`([\w./-]+(?:/|\.py|\.toml|\.yml|\.yaml))`", PAGE)))
SOURCE = ROOT / "src" / "napari_superres"


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_there(path: str) -> None:
    places = [ROOT / path, SOURCE / path, SOURCE / "widgets" / path]
    if "/" not in path:  # named beside its folder
        places += SOURCE.rglob(path)
    assert any(place.exists() for place in places)

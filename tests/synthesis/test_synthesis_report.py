from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from napari_superres.config import Budget
from napari_superres.data.files.images import ImageSet
from napari_superres.errors import OutputError
from napari_superres.synthesis.report import make_report
from napari_superres.synthesis.training import train
from tests.synthesis.materials import tiny_images, tiny_settings


@pytest.mark.parametrize("name", ["grey_run", "phase_run"])
def test_the_report_needs_nothing_but_itself(name: str, request, tmp_path: Path) -> None:
    page, numbers = make_report(request.getfixturevalue(name), 6, device="cpu", folder=tmp_path)
    assert not re.search(r'(src|href)="http', page)
    assert page.count("<svg") == 2
    assert (tmp_path / "histograms.png").exists()
    assert json.loads(json.dumps(numbers)) == numbers


def test_the_numbers_hold_a_value_an_image_and_the_gap(phase_run: Path) -> None:
    _, numbers = make_report(phase_run, 6, device="cpu")
    phases = numbers["items"]["synthetic"]["phases"]
    assert len(phases) == 3
    assert all(len(phase["fraction"]) == 6 for phase in phases.values())
    assert numbers["gap"]["fraction"] > 0
    assert numbers["memorisation"]["unseen"]


def test_a_run_that_held_nothing_out_has_a_report_that_says_so(tmp_path: Path) -> None:
    run = tmp_path / "run"
    list(train(tiny_images(), tiny_settings(held_out=0.0), run, Budget(steps=1)))
    page, numbers = make_report(run, 4, device="cpu")
    assert "held no real patches out" in page
    assert numbers["memorisation"]["ratio"] is None
    assert "gap_to_held_out" not in numbers


def test_a_directed_run_says_that_only_places_were_compared(tmp_path: Path) -> None:
    run = tmp_path / "run"
    list(train(tiny_images(), tiny_settings(directed=True), run, Budget(steps=1)))
    page, _ = make_report(run, 4, device="cpu")
    assert "of all places. " in page
    assert "mirrors" not in page


def test_a_folder_of_charts_that_cannot_be_made_is_reported(grey_run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="charts"):
        make_report(grey_run, 4, device="cpu", folder=tmp_path / "file")


def test_images_of_one_phase_have_a_report(tmp_path: Path) -> None:
    run = tmp_path / "run"
    list(train(ImageSet((np.full((48, 64), 90, np.uint8),)), tiny_settings(), run, Budget(steps=1)))
    page, numbers = make_report(run, 4, device="cpu")
    assert numbers["gap"]["length"] is None
    assert page.count("<svg") == 2

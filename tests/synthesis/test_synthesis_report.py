from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from napari_superres.synthesis.report import make_report


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

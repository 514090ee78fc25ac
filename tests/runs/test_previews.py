import numpy as np
import pytest
from PIL import Image

from napari_superres.runs import previews
from napari_superres.runs.previews import drop_previews_after, keep_preview, read_previews
from tests.fakes import PHASES, preview


def kept(tmp_path, *steps):
    for step in steps:
        keep_preview(tmp_path, preview(step, 3), PHASES, PHASES[:2])
    return tmp_path


def test_a_preview_comes_back_as_it_was(tmp_path):
    (found,) = read_previews(kept(tmp_path, 7))
    made = preview(7, 3)
    assert found.step == 7
    for name in ("generated", "real", "low_res"):
        for one, other in zip(getattr(found, name), getattr(made, name), strict=True):
            np.testing.assert_array_equal(one, other)


def test_any_viewer_shows_a_preview_in_the_phases_colours(tmp_path):
    kept(tmp_path, 1)
    with Image.open(tmp_path / "previews" / "step-0000001.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors()}
    assert (0x5B, 0x9B, 0xD5) in colours
    assert (255, 255, 255) in colours


def test_previews_stay_few_and_keep_first_and_last(tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "MOST", 10)
    steps = [event.step for event in read_previews(kept(tmp_path, *range(40)))]
    assert len(steps) <= 10
    assert (steps[0], steps[-1]) == (0, 39)


def test_a_damaged_preview_is_left_out(tmp_path):
    kept(tmp_path, 1, 2, 3)
    (tmp_path / "previews" / "step-0000001.png").write_bytes(b"\x89PNG")
    Image.new("RGB", (4, 4)).save(tmp_path / "previews" / "step-0000002.png")
    assert [event.step for event in read_previews(tmp_path)] == [3]


def test_a_roll_back_drops_the_previews_after_it(tmp_path):
    drop_previews_after(kept(tmp_path, 5, 10, 15), 10)
    assert [event.step for event in read_previews(tmp_path)] == [5, 10]


def test_a_disk_that_refuses_loses_only_the_picture(tmp_path, monkeypatch):
    def full(*_arguments, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    assert keep_preview(tmp_path, preview(1, 3), PHASES, PHASES[:2]) is None


@pytest.mark.parametrize("folder", ["previews", "."])
def test_a_run_without_previews_has_none(tmp_path, folder):
    (tmp_path / folder).mkdir(exist_ok=True)
    assert read_previews(tmp_path) == []

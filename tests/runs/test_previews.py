import json
import os

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from napari_superres.runs import previews
from napari_superres.runs.previews import drop_previews_after, keep_preview, read_previews
from tests.fakes import PHASES, preview
from tests.reliability.bombs import png_that_claims


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


@pytest.mark.parametrize(
    "told",
    [
        "[" * 100_000,
        "[]",
        '{"step": Infinity, "low": 3, "at": [1, 2, 3, 4, 5, 6, 7, 8, 9]}',
        json.dumps({"step": 1, "low": 300, "at": [[0, 0, 1, 1]] * 9}),
        json.dumps({"step": 1, "low": 1, "at": [[0, 0, 9, 9]] * 9}),
    ],
    ids=["brackets", "list", "infinite", "low", "outside"],
)
def test_a_preview_with_hostile_metadata_is_left_out(tmp_path, told):
    kept(tmp_path, 1)
    text = PngInfo()
    text.add_text(previews.WHERE, told)
    sheet = Image.fromarray(np.zeros((4, 4), np.uint8))
    sheet.save(tmp_path / "previews" / "step-0000002.png", pnginfo=text)
    assert [event.step for event in read_previews(tmp_path)] == [1]


def test_a_preview_that_unpacks_to_gigabytes_is_left_out(tmp_path):
    kept(tmp_path, 1)
    png_that_claims(tmp_path / "previews" / "step-0000002.png")
    assert [event.step for event in read_previews(tmp_path)] == [1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_among_the_previews_is_not_waited_for(tmp_path):
    os.mkfifo(kept(tmp_path, 1) / "previews" / "step-0000002.png")
    assert [event.step for event in read_previews(tmp_path)] == [1]


def test_a_roll_back_drops_the_previews_after_it(tmp_path):
    drop_previews_after(kept(tmp_path, 5, 10, 15), 10)
    assert [event.step for event in read_previews(tmp_path)] == [5, 10]


def test_a_preview_that_cannot_be_deleted_does_not_end_a_training(tmp_path, monkeypatch):
    def open_elsewhere(_path, **_more):
        raise PermissionError(13, "The process cannot access the file")

    kept(tmp_path, 5, 15)
    monkeypatch.setattr(previews.Path, "unlink", open_elsewhere)
    drop_previews_after(tmp_path, 10)
    assert [event.step for event in read_previews(tmp_path)] == [5, 15]


def test_a_disk_that_refuses_loses_only_the_picture(tmp_path, monkeypatch):
    def full(*_arguments, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    assert keep_preview(tmp_path, preview(1, 3), PHASES, PHASES[:2]) is None


@pytest.mark.parametrize("folder", ["previews", "."])
def test_a_run_without_previews_has_none(tmp_path, folder):
    (tmp_path / folder).mkdir(exist_ok=True)
    assert read_previews(tmp_path) == []

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from napari_superres.data.files.tiff import read_tiff, read_tiff_metadata
from napari_superres.errors import OutputError, RunFolderError, SettingsError
from napari_superres.events import FinishReason, GenerationFinished
from napari_superres.synthesis import sampling
from napari_superres.synthesis.sampling import SampleRequest, Synthesiser, export


@pytest.fixture(scope="module")
def synthesiser(grey_run: Path) -> Synthesiser:
    made = Synthesiser.load(grey_run, device="cpu")
    for layer in made.generator.layers:  # four steps teach no noise
        layer.strength.fill_(0.5)
    return made


def test_the_same_seeds_make_the_same_images(synthesiser: Synthesiser) -> None:
    request = SampleRequest.choose(3, seed=5)
    assert (synthesiser.sample(request) == synthesiser.sample(request)).all()


def test_an_image_does_not_depend_on_its_company(synthesiser: Synthesiser) -> None:
    together = synthesiser.sample(SampleRequest((1, 2, 3), (4, 5, 6)))
    alone = synthesiser.sample(SampleRequest((2,), (5,)))
    assert np.abs(together[1].astype(int) - alone[0]).max() <= 1


def test_a_gpu_computes_in_full_float32(synthesiser: Synthesiser, monkeypatch) -> None:
    cudnn, forward, seen = torch.backends.cudnn, synthesiser.generator.forward, []

    def noted(*given: object) -> torch.Tensor:
        seen.append((cudnn.allow_tf32, cudnn.deterministic))
        return forward(*given)

    monkeypatch.setattr(synthesiser.generator, "forward", noted)
    synthesiser.sample(SampleRequest.choose(1))
    assert seen == [(False, True)]


@pytest.mark.parametrize("vary", ["style", "noise"])
def test_one_can_vary_while_the_other_is_held(synthesiser: Synthesiser, vary: str) -> None:
    request = SampleRequest.choose(3, vary=vary)
    varied, held = request.styles, request.noises
    if vary == "noise":
        varied, held = held, varied
    assert (len(set(varied)), len(set(held))) == (3, 1)
    images = synthesiser.sample(request)
    assert (images[0] != images[1]).any()


def test_full_truncation_leaves_one_style(synthesiser: Synthesiser) -> None:
    images = synthesiser.sample(SampleRequest((1, 2), (0, 0), truncation=0.0))
    assert (images[0] == images[1]).all()


def test_an_interpolation_begins_and_ends_at_its_styles(synthesiser: Synthesiser) -> None:
    frames = synthesiser.interpolate(1, 2, frames=5, noise=7)
    ends = synthesiser.sample(SampleRequest((1, 2), (7, 7)))
    assert frames.shape == (5, 16, 16)
    assert np.abs(frames[[0, -1]].astype(int) - ends).max() <= 1


def test_a_stack_carries_phases_pixel_size_and_seeds(phase_run: Path, tmp_path: Path) -> None:
    file = tmp_path / "samples.tif"
    last = list(export(phase_run, SampleRequest.choose(3), file, device="cpu"))[-1]
    assert isinstance(last, GenerationFinished)
    assert last.path == file
    array, _ = read_tiff(file)
    metadata = read_tiff_metadata(file)
    assert array.shape == (3, 16, 16)
    assert [phase.value for phase in metadata.phases] == [0, 1, 2]
    assert metadata.voxel_size == pytest.approx((0.1, 0.1, 0.1))
    assert metadata.provenance["styles"] == "0,1,2"


def test_a_folder_gets_a_png_for_each_image(grey_run: Path, tmp_path: Path) -> None:
    list(export(grey_run, SampleRequest.choose(2), tmp_path / "images", device="cpu"))
    files = sorted((tmp_path / "images").iterdir())
    assert [file.name for file in files] == ["image-0000.png", "image-0001.png"]
    with Image.open(files[0]) as image:
        assert image.size == (16, 16)


def test_a_stopped_export_writes_nothing(grey_run: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(Synthesiser, "chunk", 1)
    stop = threading.Event()
    stop.set()
    events = export(grey_run, SampleRequest.choose(3), tmp_path / "a.tif", device="cpu", stop=stop)
    last = list(events)[-1]
    assert isinstance(last, GenerationFinished)
    assert last.reason is FinishReason.STOPPED
    assert not (tmp_path / "a.tif").exists()


@pytest.mark.parametrize("name", ["a.jpg", "file", "nowhere/a.tif"])
def test_an_output_that_cannot_be_is_refused_before_an_image_is_made(
    grey_run: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(OutputError):
        next(export(grey_run, SampleRequest.choose(1), tmp_path / name, device="cpu"))
    assert (tmp_path / "file").read_text() == "precious"


def test_room_for_a_stack_is_checked(
    grey_run: Path, phase_run: Path, tmp_path: Path, monkeypatch
) -> None:
    asked = []
    monkeypatch.setattr(sampling, "check_place", lambda path, size: asked.append(size))
    for run in (grey_run, phase_run):
        next(export(run, SampleRequest.choose(3), tmp_path / "a.tif", device="cpu"))
    assert asked == [3 * 16**2, 3 * 16**2 // 4]


def test_what_cannot_be_is_refused(grey_run: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="At least 1"):
        SampleRequest.choose(0)
    with pytest.raises(SettingsError, match="truncation"):
        SampleRequest.choose(1, truncation=-1)
    with pytest.raises(RunFolderError, match="no run folder"):
        Synthesiser.load(tmp_path)

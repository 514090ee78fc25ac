from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from napari_superres.config import Budget
from napari_superres.data.images import ImageSet
from napari_superres.data.phases import phases_from_values
from napari_superres.data.tiff import read_tiff_metadata
from napari_superres.errors import (
    EngineError,
    OutputError,
    PhaseError,
    RunFolderError,
    SettingsError,
    ShapeError,
)
from napari_superres.events import (
    FinishReason,
    GenerationFinished,
    ImagesMeasured,
    ImagesReady,
    StepCompleted,
    TileCompleted,
    TrainingFinished,
)
from napari_superres.runs.image_run import ImageRun
from napari_superres.translation import apply
from napari_superres.translation.apply import Translator, translate
from napari_superres.translation.networks import RandomNoise, ToHighRes, ToLowRes, down_sample
from napari_superres.translation.settings import TranslationEngine, TranslationSettings
from napari_superres.translation.step import Pool, Trainer
from napari_superres.translation.training import cut_images, resume, train
from tests.synthesis.materials import assert_same_checkpoints, stopped_at

TINY = TranslationEngine(
    channels=8,
    min_channels=4,
    residual_blocks=1,
    discriminator_channels=4,
    scales=1,
    patch=8,
    batch=2,
    pool=3,
    annealing=0.5,
    measured_images=2,
    measure_every=2,
    preview_seconds=0.0,
    precision="float32",
)


def images(size: int, phases: int = 0, seed: int = 0) -> ImageSet:
    coarse = np.random.default_rng(seed).integers(0, phases or 4, (size // 4, size // 4))
    image = np.kron(coarse, np.ones((4, 4))).astype(np.uint8)
    if phases:
        return ImageSet((image,), phases_from_values(range(phases)))
    return ImageSet((image * 60 + 20,))


def settings(**changes: object) -> TranslationSettings:
    values = {"scale_factor": 2, "device": "cpu", "engine": TINY}
    return TranslationSettings(**(values | changes))  # type: ignore[arg-type]


def run_of(folder: Path, steps: int, phases: int = 0) -> list[object]:
    pair = images(24, phases), images(40, phases, seed=1)
    return list(train(*pair, settings(), folder, Budget(steps=steps)))


@pytest.fixture(scope="module")
def grey_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("translation") / "run"
    run_of(folder, 3)
    return folder


@pytest.mark.parametrize("phases", [0, 2])
def test_a_run_tells_its_losses_measures_and_images(tmp_path: Path, phases: int) -> None:
    events = run_of(tmp_path / "run", 2, phases)
    losses = next(event.losses for event in events if isinstance(event, StepCompleted))
    assert {"cycle_low", "cycle_high", "identity", "critic_high"} <= set(losses)
    measured = [event for event in events if isinstance(event, ImagesMeasured)]
    assert {"given_back_rmse", "bicubic_two_point_rmse"} <= set(measured[0].values)
    shown = next(event for event in events if isinstance(event, ImagesReady)).rows
    assert [rows[0].shape for rows in shown.values()] == [(8, 8), (16, 16), (16, 16)]
    assert isinstance(events[-1], TrainingFinished)


def test_a_resumed_run_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    whole, parts, budget = tmp_path / "whole", tmp_path / "parts", Budget(steps=6)
    run_of(whole, 6)
    pair = images(24), images(40, seed=1)
    stopped_at(4, lambda stop: train(*pair, settings(), parts, budget, stop))
    list(resume(parts, budget))
    assert_same_checkpoints(whole, parts)


def test_a_run_killed_before_its_first_checkpoint_begins_anew(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run_of(whole, 2)
    events = train(images(24), images(40, seed=1), settings(), killed, Budget(steps=2))
    assert any(isinstance(event, ImagesMeasured) for event in events)  # asks for no more of them
    events.close()
    list(resume(killed, Budget(steps=2)))
    assert_same_checkpoints(whole, killed)
    assert ImageRun.open(killed).measurements() == ImageRun.open(whole).measurements()


def test_a_checkpoint_of_another_kind_of_device_is_taken_up() -> None:
    chosen = settings()
    patches = cut_images(images(24), images(40, seed=1), chosen)
    one, other, fresh = (Trainer(*patches, 0, chosen, "cpu") for _ in range(3))
    one.step()
    state = one.state() | {"noise_random": torch.zeros(16, dtype=torch.uint8)}  # as CUDA has it
    other.load(one.average_state(), state, one.steps)
    assert torch.equal(one.random.get_state(), other.random.get_state())
    first, begun = (trainer.noise_random.get_state() for trainer in (fresh, other))
    assert not torch.equal(first, begun)  # the noise of the first steps does not come again
    other.step()


@pytest.mark.parametrize("factor", [1, 2, 4, 8, 16])
def test_sizes_change_by_the_scale_factor_and_back(factor: int) -> None:
    noise = RandomNoise(torch.Generator().manual_seed(0))
    low = torch.rand(1, 1, 4, 6)
    high = ToHighRes(TINY, factor, 0)(low, noise)
    assert high.shape == (1, 1, 4 * factor, 6 * factor)
    assert ToLowRes(TINY, factor, 0)(high, noise).shape == low.shape
    assert down_sample(high, factor).shape == low.shape


def test_translated_phases_are_probabilities() -> None:
    noise = RandomNoise(torch.Generator().manual_seed(0))
    made = ToHighRes(TINY, 2, 3)(torch.rand(2, 3, 4, 4), noise)
    assert torch.allclose(made.sum(dim=1), torch.ones(2, 8, 8))


def test_a_pool_shows_past_images_once_it_is_full() -> None:
    pool = Pool(2, torch.Generator().manual_seed(0))
    shown = [float(pool.swap(torch.full((1, 1, 1, 1), float(i)))) for i in range(40)]
    assert shown[:2] == [0.0, 1.0]
    assert 5 < sum(value != i for i, value in enumerate(shown)) < 35


@pytest.mark.parametrize("tile", [5, 11, 16])
def test_a_translation_does_not_depend_on_its_tiles(grey_run: Path, tile: int) -> None:
    translator = Translator.load(grey_run, device="cpu")
    low = np.random.default_rng(3).integers(0, 256, (33, 29)).astype(np.uint8)
    whole = translator.image(low, tile=64)
    assert np.abs(translator.image(low, tile=tile).astype(int) - whole).max() <= 1


def test_a_gpu_is_told_to_compute_the_same_whatever_the_tile(grey_run: Path, monkeypatch) -> None:
    translator, cudnn, seen = Translator.load(grey_run, device="cpu"), torch.backends.cudnn, []
    before, forward = (cudnn.allow_tf32, cudnn.deterministic), translator.network.forward

    def noted(*given: object) -> torch.Tensor:
        seen.append((cudnn.allow_tf32, cudnn.deterministic))
        return forward(*given)

    monkeypatch.setattr(translator.network, "forward", noted)
    translator.image(images(24).images[0])
    assert seen == [(False, True)]
    assert (cudnn.allow_tf32, cudnn.deterministic) == before


@pytest.mark.parametrize("tile", [-3, 0, 3])
def test_an_impossible_tile_is_refused_before_anything_is_written(
    grey_run: Path, tmp_path: Path, tile: int
) -> None:
    with pytest.raises(SettingsError, match="tile"):
        Translator.load(grey_run, device="cpu").image(images(24).images[0], tile=tile)
    for file in (None, tmp_path / "out.tif"):
        with pytest.raises(SettingsError, match="tile"):
            next(translate(grey_run, images(24).images[0], file, tile=tile, device="cpu"))
    assert not list(tmp_path.iterdir())


def test_the_same_seed_translates_alike_and_another_does_not(grey_run: Path) -> None:
    translator = Translator.load(grey_run, device="cpu")
    translator.network.strengths.fill_(2.0)
    low = images(24).images[0]
    first = translator.image(low, seed=1)
    assert (first == translator.image(low, seed=1)).all()
    assert (first != translator.image(low, seed=2)).any()
    assert (first != translator.image(low, seed=1, plane=1)).any()


@pytest.mark.parametrize(("axis", "shape"), [(0, (3, 20, 24)), (1, (6, 10, 24)), (2, (6, 20, 12))])
def test_a_volume_streams_to_disk_along_any_axis(grey_run, tmp_path, axis, shape) -> None:
    volume = np.random.default_rng(0).integers(0, 256, (3, 10, 12)).astype(np.uint8)
    file = tmp_path / "out.tif"
    size = (0.4, 0.4, 0.4)
    list(translate(grey_run, volume, file, axis, device="cpu", voxel_size=size))
    stored = tifffile.imread(file)
    assert stored.shape == shape
    in_memory = list(translate(grey_run, volume, None, axis, device="cpu"))[-1]
    assert isinstance(in_memory, GenerationFinished)
    assert (in_memory.labels == stored).all()
    expected = [0.4 if a == axis else 0.2 for a in range(3)]
    assert read_tiff_metadata(file).voxel_size == pytest.approx(expected)


def test_a_stopped_translation_leaves_what_was_there(grey_run: Path, tmp_path: Path) -> None:
    file, stop = tmp_path / "out.tif", threading.Event()
    file.write_bytes(b"precious")
    stop.set()
    volume = np.zeros((2, 8, 8), np.uint8)
    last = list(translate(grey_run, volume, file, device="cpu", stop=stop))[-1]
    assert isinstance(last, GenerationFinished)
    assert last.reason is FinishReason.STOPPED
    assert file.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("ends", ["stopped", "failed", "closed", "whole"])
def test_a_file_is_no_longer_mapped_when_it_is_moved_or_removed(
    grey_run: Path, tmp_path: Path, monkeypatch, ends: str
) -> None:
    mapped, alive, file = [], [], tmp_path / "out.tif"  # Windows would refuse
    make, written = apply._memory_mapped, apply.written_whole

    def noted(*given: object) -> np.ndarray:
        target = make(*given)
        mapped.append(weakref.ref(target))
        return target

    @contextmanager
    def watched(path: Path) -> Iterator[Path]:
        with written(path) as temporary:
            try:
                yield temporary
            finally:
                alive.append(mapped[0]() is not None)

    monkeypatch.setattr(apply, "_memory_mapped", noted)
    monkeypatch.setattr(apply, "written_whole", watched)
    if ends == "failed":
        monkeypatch.setattr(Translator, "image", lambda *given: torch.zeros(1) @ torch.zeros(2))
    stop = threading.Event()
    events = translate(grey_run, np.zeros((3, 8, 8), np.uint8), file, device="cpu", stop=stop)
    with pytest.raises(EngineError) if ends == "failed" else nullcontext():
        for event in events:
            if ends == "stopped":
                stop.set()
            if ends == "closed" and isinstance(event, TileCompleted):
                events.close()
    assert alive == [False]
    assert file.exists() is (ends == "whole")


@pytest.mark.parametrize(
    ("shape", "axis"), [((8, 10), 1), ((0, 8, 8), 0), ((2, 8, 8), 3), ((2, 8, 8), -1), ((8,), 0)]
)
def test_an_axis_that_the_volume_has_not_is_refused(grey_run, shape, axis) -> None:
    with pytest.raises(SettingsError, match="axis"):
        next(translate(grey_run, np.zeros(shape, np.uint8), None, axis, device="cpu"))


@pytest.mark.parametrize("name", ["out.png", "out"])
def test_a_name_of_another_kind_is_refused(grey_run: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"out\.tif"):
        next(translate(grey_run, np.zeros((2, 8, 8), np.uint8), tmp_path / name, device="cpu"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("factor", "patch", "scales"), [(1, 8, 1), (1, 16, 2), (2, 16, 3)])
def test_the_smallest_patch_that_all_scales_can_see_trains(factor, patch, scales) -> None:
    def chosen(side: int) -> TranslationSettings:
        return settings(scale_factor=factor, engine=TINY.replace(patch=side, scales=scales))

    patches = cut_images(images(24), images(40, seed=1), chosen(patch))
    Trainer(*patches, 0, chosen(patch), "cpu").step()
    with pytest.raises((SettingsError, ValueError), match=r"patch|scales"):
        chosen(patch - 1)


def test_what_does_not_fit_is_refused(grey_run: Path, tmp_path: Path) -> None:
    budget = Budget(steps=1)
    with pytest.raises(PhaseError, match="grey values"):
        next(iter(train(images(24), images(40, 2), settings(), tmp_path / "a", budget)))
    with pytest.raises(ShapeError, match="no room"):
        next(iter(train(images(24), images(12), settings(), tmp_path / "a", budget)))
    with pytest.raises(RunFolderError, match="no run folder"):
        Translator.load(tmp_path)
    with pytest.raises(ValueError, match="scale_factor"):
        settings(scale_factor=3)

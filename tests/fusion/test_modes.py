"""The ways in which materials and images differ: each trains, and generates exact shapes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_superres.config import Budget, GenerationSettings, TrainingSettings
from napari_superres.data.checks.inputs import check_inputs, crop_shape
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import PhaseError, ScaleFactorError, SettingsError
from napari_superres.events import GenerationFinished, TrainingFinished
from napari_superres.fusion.material import frequency_loss
from napari_superres.fusion.training import resume, train
from napari_superres.generation.render import generate
from napari_superres.runs.checkpoints import load_tensors
from napari_superres.runs.config import FUSION
from napari_superres.runs.run import Run
from napari_superres.scale_factor import super_res_shape
from tests.fusion.materials import TINY, tiny_pair, tiny_settings

RNG = np.random.default_rng(0)


def volume(shape: tuple[int, int, int], phases: int = 2) -> SegmentedVolume:
    labels = RNG.integers(0, phases, shape)
    return SegmentedVolume.from_labels(labels)


def image(rows: int, columns: int, phases: int = 3) -> np.ndarray:
    return np.kron(RNG.integers(0, phases, (-(-rows // 4), -(-columns // 4))), np.ones((4, 4)))[
        :rows, :columns
    ].astype(np.uint8)


def generated(run: Path) -> np.ndarray:
    *_, last = generate(run, GenerationSettings(device="cpu"))
    assert isinstance(last, GenerationFinished)
    assert last.labels is not None
    return last.labels


FACTORS = ["1", "8/5", "2", "3", "4", "16/3", "8", "16", "4,2,2"]


@pytest.mark.parametrize("factor", FACTORS)
def test_every_scale_factor_trains_and_generates_its_exact_shape(
    factor: str, tmp_path: Path
) -> None:
    settings = tiny_settings(
        scale_factor=factor, engine=TINY.replace(crop=16, batch=1, slices_per_axis=2)
    )
    steps = [part.denominator for part in settings.scale_factor]
    z, y, x = (
        max(side, 3 * step) for side, step in zip(crop_shape(settings)[0], steps, strict=True)
    )
    low_res = volume((z, y, x + steps[2]))
    high_res = SegmentedSlices.from_labels([[image(64, 64)]])
    *_, last = train(Pair(low_res, high_res), settings, tmp_path / "run", Budget(steps=2))
    assert isinstance(last, TrainingFinished)
    assert generated(tmp_path / "run").shape == super_res_shape(
        low_res.shape, settings.scale_factor
    )


def test_an_anisotropic_material_has_sets_of_its_own_of_any_sizes(tmp_path: Path) -> None:
    sets = [[image(30, 50), image(24, 24)], [image(40, 20)], [image(18, 18), image(90, 17)]]
    low_res = tiny_pair().low_res
    settings = tiny_settings(
        anisotropic=True, rotations="z", mirrors="yx", engine=TINY.replace(held_back=0.25)
    )
    *_, last = train(
        Pair(low_res, SegmentedSlices.from_labels(sets)),
        settings,
        tmp_path / "run",
        Budget(steps=2),
    )
    assert isinstance(last, TrainingFinished)
    assert generated(tmp_path / "run").shape == (28, 26, 24)


def test_without_noise_the_result_depends_on_no_seed(tmp_path: Path) -> None:
    settings = tiny_settings(engine=TINY.replace(noise="off"))
    list(train(tiny_pair(), settings, tmp_path / "run", Budget(steps=2)))
    first, second = (
        list(generate(tmp_path / "run", GenerationSettings(device="cpu", seed=seed)))[-1].labels
        for seed in (0, 1)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    "changes",
    [
        {"one_sided": (1,)},
        {"one_sided": (1,), "imaging": "sampled"},
        {"blur_kernel": 5, "blur_sd": 1.5},
        {"engine": TINY.replace(augment_low_res=True)},
        {"engine": TINY.replace(augment_low_res=True, context=False)},
    ],
)
def test_every_mode_takes_steps(changes: dict[str, object], tmp_path: Path) -> None:
    events = list(train(tiny_pair(), tiny_settings(**changes), tmp_path / "run", Budget(steps=2)))
    assert isinstance(events[-1], TrainingFinished)


@pytest.mark.parametrize("phase_map", [{0: 0, 1: 1, 2: 2}, {0: 0, 1: 1, 2: 1, 3: 2}])
def test_any_number_of_low_res_phases_up_to_that_of_the_high_res(
    phase_map: dict[int, int], tmp_path: Path
) -> None:
    low_res = volume((12, 12, 12), 3)
    high_res = SegmentedSlices.from_labels([[image(64, 64, len(phase_map))]])
    settings = tiny_settings(phase_map=phase_map)
    list(train(Pair(low_res, high_res), settings, tmp_path / "run", Budget(steps=2)))
    assert generated(tmp_path / "run").max() < len(phase_map)


def test_an_anisotropic_material_is_not_augmented() -> None:
    pair = tiny_pair()
    high_res = SegmentedSlices(pair.high_res.sets * 3, pair.high_res.phases)
    settings = tiny_settings(anisotropic=True, engine=TINY.replace(augment_low_res=True))
    with pytest.raises(SettingsError, match="same from all sides"):
        check_inputs(Pair(pair.low_res, high_res), settings)


def warm(source: Path, **changes: object) -> TrainingSettings:
    return tiny_settings(warm_start=str(source), **changes)


def test_a_warm_start_begins_with_the_weights_of_another_run(tmp_path: Path) -> None:
    list(train(tiny_pair(), tiny_settings(), tmp_path / "first", Budget(steps=2)))
    source = load_tensors(
        Run.open(tmp_path / "first", FUSION).find_checkpoint().folder, "generator"
    )
    for event in train(tiny_pair(1), warm(tmp_path / "first"), tmp_path / "warm", Budget(steps=2)):
        if getattr(event, "folder", None) is not None:
            break
    begun = Run.open(tmp_path / "warm", FUSION).find_checkpoint("0")
    taken = load_tensors(begun.folder, "generator")
    assert all(torch.equal(source[name], taken[name]) for name in source)


def test_a_warm_started_run_needs_the_other_no_more(tmp_path: Path) -> None:
    list(train(tiny_pair(), tiny_settings(), tmp_path / "first", Budget(steps=2)))
    list(train(tiny_pair(1), warm(tmp_path / "first"), tmp_path / "warm", Budget(steps=1)))
    (tmp_path / "first").rename(tmp_path / "gone")
    assert isinstance(list(resume(tmp_path / "warm", Budget(steps=2)))[-1], TrainingFinished)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"scale_factor": 1}, ScaleFactorError, "scale factor 2"),
        ({"phase_map": {0: 0, 1: 1, 2: 1}}, PhaseError, r"\[0, 1, 0\]"),
        ({"engine": TINY.replace(channels=8)}, SettingsError, "channels 4 there, 8 here"),
    ],
)
def test_a_run_that_does_not_fit_is_refused_before_anything_is_written(
    changes: dict[str, object], error: type[Exception], said: str, tmp_path: Path
) -> None:
    list(train(tiny_pair(), tiny_settings(), tmp_path / "first", Budget(steps=1)))
    pair = tiny_pair()
    coarse = np.kron(pair.low_res.labels, np.ones((2, 2, 2), np.uint8))
    pair = replace(pair, low_res=SegmentedVolume(coarse, pair.low_res.phases))
    settings = warm(tmp_path / "first", **changes)
    with pytest.raises(error, match=said):
        next(train(pair, settings, tmp_path / "warm", Budget(steps=1)))
    assert not (tmp_path / "warm").exists()


def test_no_frequency_loss_with_slices_that_do_not_represent_the_volume() -> None:
    pair = tiny_pair()
    settings, device = tiny_settings(), torch.device("cpu")
    report = check_inputs(pair, settings)
    asked = [
        frequency_loss(pair.high_res, settings, replace(report, fractions_agree=agree), device)
        for agree in (True, False)
    ]
    assert [loss is None for loss in asked] == [False, True]

"""Fractions of the generated crops: what is wanted, what a crop's place explains."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_superres.config import Budget
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices
from napari_superres.events import TrainingStarted
from napari_superres.fusion.losses.fraction_loss import (
    FractionLoss,
    pooled_fractions,
    wanted_fractions,
)
from napari_superres.fusion.training import train
from tests.fusion.materials import tiny_pair, tiny_settings

LOW_RES = np.array([0.6, 0.4])
LR_OF_HR = [0, 1, 0]


def test_larger_images_count_for_more() -> None:
    images = [np.zeros((4, 4), np.uint8), np.ones((4, 12), np.uint8)]
    np.testing.assert_allclose(pooled_fractions(images, 3), [0.25, 0.75, 0])


def test_slices_that_represent_the_volume_set_all_fractions() -> None:
    wanted = wanted_fractions(np.array([0.4, 0.45, 0.15]), LOW_RES, LR_OF_HR, agree=True)
    np.testing.assert_allclose(wanted, [0.4, 0.45, 0.15])


def test_slices_that_do_not_only_share_out_what_the_volume_has() -> None:
    wanted = wanted_fractions(np.array([0.2, 0.7, 0.1]), LOW_RES, LR_OF_HR, agree=False)
    np.testing.assert_allclose(wanted, [0.4, 0.4, 0.2])


def a_loss(wanted: tuple[float, ...] = (0.4, 0.4, 0.2)) -> FractionLoss:
    return FractionLoss(np.array(wanted), LOW_RES, LR_OF_HR, torch.device("cpu"))


def crop(labels: np.ndarray, phases: int) -> torch.Tensor:
    return F.one_hot(torch.from_numpy(labels.astype(np.int64)), phases).movedim(-1, 0)[None].float()


def test_a_crop_in_a_place_with_more_of_a_phase_may_have_more_of_it() -> None:
    low_res = np.zeros((1, 1, 10), np.uint8)
    low_res[..., :8] = 1  # 0.8, where the volume has 0.4
    labels = np.ones((1, 1, 30), np.uint8)
    labels[..., 24:28], labels[..., 28:] = 0, 2
    assert float(a_loss()(crop(labels, 3), crop(low_res, 2))) == pytest.approx(0, abs=1e-9)


def test_the_gradient_takes_from_what_is_too_much() -> None:
    low_res = np.array([1, 1, 0, 0, 0], np.uint8).reshape(1, 1, 5)
    labels = np.array([1, 1, 2, 2, 0] * 2, np.uint8).reshape(1, 1, 10)
    fake = crop(labels, 3).requires_grad_()
    a_loss()(fake, crop(low_res, 2)).backward()  # type: ignore[no-untyped-call]
    assert fake.grad is not None
    pull = fake.grad.mean((0, 2, 3, 4))
    assert pull[0] < 0 == pytest.approx(float(pull[1]), abs=1e-6)
    assert pull[2] > 0


def one_phase(phase: int) -> torch.Tensor:
    """Logits of a generator that has fallen to one phase, as far as float32 goes."""
    logits = torch.full((1, 3, 1, 1, 10), -20.0)
    logits[:, phase] = 20
    return logits.requires_grad_()


def test_a_lost_phase_is_led_back_to_where_the_low_res_volume_has_it() -> None:
    logits, low_res = one_phase(1), np.array([1, 1, 0, 0, 0], np.uint8).reshape(1, 1, 5)
    a_loss()(torch.softmax(logits, 1), crop(low_res, 2)).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    pull_NX = -10 * logits.grad[0, :, 0, 0]
    # two thirds of what belongs to low-res phase 0 are phase 0, a third is phase 2
    torch.testing.assert_close(pull_NX[:, 4:], torch.tensor([[2 / 3], [-1], [1 / 3]]).repeat(1, 6))
    torch.testing.assert_close(pull_NX[:, :4], torch.zeros(3, 4))


def test_a_phase_that_is_only_rarer_than_wanted_is_not_lost() -> None:
    loss, wanted = a_loss(), torch.tensor([0.4, 0.4, 0.2])
    assert not loss.any_lost(0.2 * wanted, 0.2 * wanted)
    assert loss.any_lost(0.05 * wanted, 0.2 * wanted)


def test_a_phase_the_low_res_volume_does_not_show_is_lost_without_probability_too() -> None:
    found = torch.tensor([0.6, 0.4, 0.0])
    assert not a_loss().any_lost(found, torch.tensor([0.5, 0.4, 0.1]))
    assert a_loss().any_lost(found, torch.tensor([0.6, 0.4, 0.001]))


def test_a_loss_goes_on_where_another_was_saved() -> None:
    low_res, labels = np.zeros((1, 1, 4), np.uint8), np.array([0, 0, 1, 2]).reshape(1, 1, 4)
    first, second = a_loss(), a_loss()
    first(crop(labels, 3), crop(low_res, 2))
    second.load({name: value.clone() for name, value in first.state().items()})
    pair = crop(labels * 0, 3), crop(low_res, 2)
    assert float(first(*pair)) == float(second(*pair)) > 0
    second.forget()
    assert float(second.weight) == 0


def test_slices_that_do_not_represent_the_volume_do_not_set_the_target(tmp_path: Path) -> None:
    pair = tiny_pair()
    low_res = pair.low_res
    mostly = np.where(np.random.default_rng(0).random((200, 200)) < 0.9, 1, 0).astype(np.uint8)
    mostly[::20, ::20] = 2
    slices = SegmentedSlices.from_labels([[mostly]], pair.high_res.voxel_size)
    started = next(train(Pair(low_res, slices), tiny_settings(), tmp_path / "run", Budget(steps=1)))
    assert isinstance(started, TrainingStarted)
    assert any("represent" in warning for warning in started.warnings)
    pore, solid, rare = started.target.volume_fractions.values()
    assert solid == pytest.approx(low_res.labels.mean(), abs=1e-5)
    assert pore + rare == pytest.approx(1 - low_res.labels.mean(), abs=1e-5)
    assert rare / pore == pytest.approx((mostly == 2).mean() / (mostly == 0).mean(), rel=1e-4)

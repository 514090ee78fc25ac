from __future__ import annotations

import math

import pytest
import torch

from napari_superres.fusion.losses import voxel
from napari_superres.training import adversarial


def test_mismatch_of_one_hot_volumes_is_the_share_of_wrong_voxels() -> None:
    low = torch.zeros(1, 3, 2, 2, 2)
    low[:, 0] = 1
    wrong = low.clone()
    wrong[0, :, 0, 0, 0] = torch.tensor([0.0, 0.0, 1.0])
    assert float(voxel.voxel_mismatch(wrong, low)) == pytest.approx(1 / 8)


def test_a_one_sided_phase_may_appear_elsewhere_but_must_be_kept() -> None:
    low = torch.zeros(1, 2, 1, 1, 2)
    low[0, 0, 0, 0, 0] = low[0, 1, 0, 0, 1] = 1
    everywhere = torch.zeros_like(low)
    everywhere[:, 1] = 1
    marked = torch.tensor([False, True])
    assert float(voxel.voxel_mismatch(everywhere, low, marked)) == 0
    assert float(voxel.voxel_mismatch(1 - everywhere, low, marked)) == pytest.approx(0.5)


def test_cross_entropy_pulls_a_saturated_wrong_voxel_back() -> None:
    logits = torch.tensor([50.0, 0.0]).view(1, 2, 1, 1, 1).requires_grad_(True)
    low = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1, 1)
    down = torch.softmax(logits, 1)
    voxel.voxel_cross_entropy(down, low).backward()
    assert float(logits.grad[0, 1, 0, 0, 0]) < -0.1


@pytest.mark.parametrize("kind", ["relativistic", "logistic", "wasserstein"])
def test_better_fakes_lower_the_generators_and_raise_the_discriminators_loss(kind: str) -> None:
    real, bad, good = torch.tensor([1.0]), torch.tensor([-1.0]), torch.tensor([0.5])
    assert adversarial.generator_loss(kind, good, real) < adversarial.generator_loss(
        kind, bad, real
    )
    assert adversarial.discriminator_loss(kind, good, real) > adversarial.discriminator_loss(
        kind, bad, real
    )


def test_equal_scores_cost_log_2_in_the_relativistic_loss() -> None:
    same = torch.tensor([0.3, 0.3])
    assert float(adversarial.generator_loss("relativistic", same, same)) == pytest.approx(
        math.log(2)
    )


def test_the_zero_centred_penalty_is_half_the_squared_gradient() -> None:
    slices = torch.rand(2, 1, 3, 3, requires_grad=True)
    scores = (2 * slices).sum((1, 2, 3))
    assert float(adversarial.zero_centred_penalty(scores, slices)) == pytest.approx(0.5 * 9 * 4)


def test_the_wasserstein_penalty_is_zero_for_unit_gradients() -> None:
    fake, real = torch.rand(2, 1, 2, 2), torch.rand(2, 1, 2, 2)
    score = lambda s: s.sum((1, 2, 3)) / 2  # noqa: E731 — gradient of norm 1
    assert float(adversarial.wasserstein_penalty(score, fake, real, torch.rand(2))) < 1e-9


def test_focused_on_what_is_not_given_back_the_rest_is_free() -> None:
    down = torch.tensor([0.6, 0.4]).view(1, 2, 1, 1, 1).expand(1, 2, 1, 1, 2).clone()
    low = torch.zeros_like(down)
    low[0, 0, 0, 0, 0] = low[0, 1, 0, 0, 1] = 1
    given_back = torch.zeros_like(down)
    given_back[:, 0] = 1
    down.requires_grad_(True)
    loss = voxel.voxel_cross_entropy(down, low, given_back_BMZYX=given_back)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(-math.log(0.4) / 2)
    assert float(down.grad[0, 0, 0, 0, 0]) == 0
    assert float(down.grad[0, 1, 0, 0, 1]) < 0


def test_saturated_logits_are_led_back_and_others_left_alone() -> None:
    logits = torch.tensor([100.0, -100.0]).view(1, 2, 1, 1, 1).requires_grad_(True)
    voxel.saturation_penalty(logits).backward()
    assert float(logits.grad[0, 0]) > 0 > float(logits.grad[0, 1])
    assert float(voxel.saturation_penalty(logits.detach() / 10)) == 0

from __future__ import annotations

import pytest
import torch

from napari_superres.synthesis.augmentation import Augmentation, Controller, resample


def images(seed: int = 0, channels: int = 1, size: int = 16) -> torch.Tensor:
    return torch.rand((3, channels, size, size), generator=torch.Generator().manual_seed(seed))


def matrix(*rows: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor([*rows, (0.0, 0.0, 1.0)]).repeat(3, 1, 1)


def test_strength_rises_while_the_discriminator_is_too_sure() -> None:
    control = Controller(target=0.6, every=4, kimg=1.0)
    for _ in range(4):
        control.observe(torch.full((10,), 3.0))
    assert control.overfitting == 1.0
    assert control.strength == pytest.approx(0.04)


def test_strength_falls_again_but_not_below_zero() -> None:
    control = Controller(every=1, kimg=1.0, start=0.015)
    strengths = []
    for _ in range(2):
        control.observe(torch.tensor([1.0, -1.0] * 5))
        strengths.append(control.strength)
    assert strengths == [pytest.approx(0.005), 0.0]


def test_strength_stays_while_the_target_is_met() -> None:
    control = Controller(target=0.6, every=1, kimg=1.0, start=0.3)
    control.observe(torch.tensor([1.0] * 8 + [-1.0] * 2))
    assert control.strength == 0.3


def test_nothing_changes_before_so_many_batches() -> None:
    control = Controller(every=4, kimg=1.0)
    for _ in range(3):
        control.observe(torch.ones(8))
    assert control.strength == 0.0


def test_a_controller_goes_on_from_its_state() -> None:
    first, second = Controller(every=3, kimg=1.0), Controller(every=3, kimg=1.0)
    first.observe(torch.ones(8))
    second.load(first.state())
    for control in (first, second):
        control.observe(torch.ones(8))
        control.observe(-torch.ones(8))
    assert first.strength == second.strength
    assert first.overfitting == pytest.approx(1 / 3)


def test_without_strength_images_stay_themselves() -> None:
    given = images()
    assert Augmentation(True, torch.Generator())(given, 0.0) is given


def test_the_filters_give_an_unchanged_image_back() -> None:
    given = images()
    same = resample(given, matrix((1, 0, 0), (0, 1, 0)))
    assert torch.allclose(same[..., 3:-3, 3:-3], given[..., 3:-3, 3:-3], atol=1e-5)


@pytest.mark.parametrize(
    ("inverse", "expected"),
    [
        (matrix((-1, 0, 0), (0, 1, 0)), lambda x: x.flip(-1)),
        (matrix((0, -1, 0), (1, 0, 0)), lambda x: x.rot90(-1, (-2, -1)).rot90(2, (-2, -1))),
        (matrix((1, 0, 3), (0, 1, 0)), lambda x: x.roll(-3, -1)),
    ],
    ids=["mirrored", "turned", "shifted"],
)
def test_smooth_images_are_moved_as_their_pixels_are(inverse, expected) -> None:
    wave = torch.linspace(0, 3, 24)
    smooth = (wave.sin()[:, None] + 0.5 * (2 * wave).cos()).expand(3, 1, 24, 24)
    moved = resample(smooth, inverse)
    difference = (moved - expected(smooth))[..., 6:-6, 6:-6].abs().max()
    assert difference < 0.02


def test_probabilities_of_phases_still_add_up_to_one() -> None:
    labels = (images(size=24) * 3).long()[:, 0]
    one_hot = torch.nn.functional.one_hot(labels, 3).permute(0, 3, 1, 2).float()
    changed = Augmentation(False, torch.Generator().manual_seed(1))(one_hot, 1.0)
    assert torch.allclose(changed.sum(dim=1), torch.ones(3, 24, 24), atol=0.05)


def test_phases_keep_their_tone_and_grey_values_do_not() -> None:
    flat = torch.full((3, 1, 16, 16), 0.5)
    kept = Augmentation(False, torch.Generator().manual_seed(1))(flat, 1.0)
    toned = Augmentation(True, torch.Generator().manual_seed(1))(flat, 1.0)
    assert (kept - 0.5).abs().max() < 0.05
    assert (toned - 0.5).abs().amin(dim=(1, 2, 3)).max() > 0.05


def test_a_gradient_of_a_gradient_passes_through() -> None:
    given = images(size=8).double().requires_grad_(True)
    weight = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    changed = Augmentation(True, torch.Generator().manual_seed(3))(given, 1.0)
    score = (weight * changed).square().sum()
    (gradient,) = torch.autograd.grad(score, given, create_graph=True)
    gradient.square().sum().backward()
    # the gradient goes with weight², its square with weight⁴
    assert weight.grad is not None
    expected = 4 * gradient.detach().square().sum() / 2.0
    assert torch.allclose(weight.grad, expected)

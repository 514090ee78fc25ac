"""The paper preset's step: the same mathematics, whatever makes it fast."""

from __future__ import annotations

import pytest
import torch

from napari_superres.config import PRESETS, Preset
from napari_superres.fusion.losses import adversary
from napari_superres.fusion.losses.adversary import Adversary
from napari_superres.fusion.step import FusionLearner
from napari_superres.fusion.training import FusionRecipe
from tests.fusion.materials import tiny_pair, tiny_settings

# The paper's losses on small networks.
WASSERSTEIN = PRESETS[Preset.PAPER].replace(
    generator="light",
    channels=4,
    max_channels=8,
    discriminator_channels=(4, 8),
    crop=16,
    crop_margin=2,
    critic_steps=2,
    batch=2,
    real_slices_per_axis=5,
    precision="float32",
)


def trainer(engine=WASSERSTEIN) -> FusionLearner:
    settings = tiny_settings(engine=engine)
    pair = tiny_pair()
    return FusionRecipe(pair, settings).learner("cpu")


@pytest.mark.parametrize("loss", ["logistic", "relativistic"])
def test_axes_seen_one_by_one_teach_a_shared_discriminator_the_same(
    loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = WASSERSTEIN.replace(loss=loss, real_slices_per_axis=None)
    gradients = []
    for many in (0, 2**40):
        monkeypatch.setattr(adversary, "MANY", many)
        one = trainer(engine)
        one.step()
        gradients.append([p.grad.clone() for p in one.networks.discriminators.parameters()])
    for separate, together in zip(*gradients, strict=True):
        torch.testing.assert_close(separate, together, rtol=1e-4, atol=1e-6)


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many slices a discriminator was shown, call by call."""
    seen: list[int] = []
    score = Adversary.score

    def watched(self, discriminator, slices):  # type: ignore[no-untyped-def]
        seen.append(len(slices))
        return score(self, discriminator, slices)

    monkeypatch.setattr(Adversary, "score", watched)
    return seen


def test_real_slices_are_as_many_as_asked_for_and_shown_to_the_discriminators_step_only(
    scored: list[int],
) -> None:
    one = trainer()
    generated, real, mixed = 3 * 2 * 12, 3 * 5, 3 * 5
    one.step()
    assert scored == [generated, real, mixed]
    one.step()
    assert scored[3:] == [generated, real, mixed, generated]

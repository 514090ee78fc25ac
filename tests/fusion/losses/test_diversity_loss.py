"""Realisations of a crop are asked to differ."""

import pytest
import torch
import torch.nn.functional as F

from napari_superres.fusion.losses.diversity_loss import (
    FIRST_UPDATES,
    TWICE_EVERY,
    DiversityLoss,
    share_of_reward,
)
from napari_superres.fusion.step import FusionLearner
from napari_superres.fusion.training import FusionRecipe
from tests.fusion.materials import TINY, tiny_pair, tiny_settings


def a_loss() -> DiversityLoss:
    return DiversityLoss(torch.device("cpu"))


def crops(*labels: list[int]) -> torch.Tensor:
    return F.one_hot(torch.tensor(labels), 3).movedim(-1, 1)[:, :, None, None].float()


def test_the_more_voxels_differ_the_lower_the_loss() -> None:
    same, some, all_ = (
        float(a_loss()(crops([0, 1, 2, 0], other)))
        for other in ([0, 1, 2, 0], [0, 1, 2, 1], [1, 2, 0, 1])
    )
    assert same > some > all_


def test_the_gradient_leads_realisations_apart() -> None:
    torch.manual_seed(0)
    logits = (0.1 * torch.randn(2, 3, 4, 4, 4)).requires_grad_()
    before = float((logits[0].argmax(0) != logits[1].argmax(0)).float().mean())
    optimiser = torch.optim.SGD([logits], 20.0)
    for _ in range(100):
        optimiser.zero_grad()
        a_loss()(torch.softmax(logits, 1)).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    after = float((logits[0].argmax(0) != logits[1].argmax(0)).float().mean())
    assert after > before


def test_blurring_both_realisations_is_no_way_to_differ() -> None:
    sharp = crops([0, 1], [1, 1]).requires_grad_()
    a_loss()(sharp).backward()  # type: ignore[no-untyped-call]
    assert sharp.grad is not None
    towards_the_middle = torch.full_like(sharp, 1 / 3) - sharp.detach()
    assert float((sharp.grad * towards_the_middle).sum()) > 0


def trainer(**changes: object) -> FusionLearner:
    pair = tiny_pair()
    settings = tiny_settings(engine=TINY.replace(**({"diversity_weight": 1.0} | changes)))
    return FusionRecipe(pair, settings).learner("cpu")


def test_the_diversity_reward_begins_after_the_first_updates() -> None:
    shares = [share_of_reward(updates) for updates in (0, 150, 225, 300, 1000)]
    assert shares == [0, 0, 0.5, 1, 1]


def test_every_fourth_step_makes_two_realisations_of_a_crop() -> None:
    training = trainer()
    training.steps = 2 * TWICE_EVERY * FIRST_UPDATES
    rewarded = ["diversity" in training.step() for _ in range(8)]
    assert rewarded == [False, False, False, True] * 2


@pytest.mark.parametrize("changes", [{"noise": "off"}, {"batch": 1}, {"diversity_weight": 0.0}])
def test_there_is_no_diversity_loss_of_a_single_realisation(changes: dict[str, object]) -> None:
    training = trainer(**changes)
    training.steps = FIRST_UPDATES
    assert not any("diversity" in training.step() for _ in range(TWICE_EVERY))


def test_realisations_differ_more_with_the_diversity_loss() -> None:
    shares = []
    for weight in (0.0, 100.0):
        training = trainer(diversity_weight=weight)
        training.steps = 2 * FIRST_UPDATES
        for _ in range(80):
            training.step()
        context_BMZYX, _ = training.material.low_res.pair(torch.zeros(1, 3, dtype=torch.int64))
        with torch.no_grad():
            twice_BMZYX = context_BMZYX.repeat(2, 1, 1, 1, 1)
            generator = training.networks.generator
            made_BNZYX = training.generate(generator, twice_BMZYX, training.noise)
            first, second = made_BNZYX.argmax(1)
        shares.append(float((first != second).float().mean()))
    assert shares[1] > shares[0]


def test_its_running_share_is_saved_and_forgotten_with_a_start_over() -> None:
    training, other = trainer(), trainer()
    training.steps = FIRST_UPDATES
    for _ in range(TWICE_EVERY):
        training.step()
    assert float(training.diversity.weight) > 0
    other.load(training.networks.average.state_dict(), training.state(), training.steps)
    assert float(other.diversity.running) == float(training.diversity.running)
    training.start_over(1)
    assert float(training.diversity.weight) == 0

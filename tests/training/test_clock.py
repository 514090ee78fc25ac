"""How far a training has come, in budgets of steps and minutes."""

from __future__ import annotations

import math

import pytest
import torch

from napari_superres.config import Budget
from napari_superres.training.clock import mean_terms, progress, used_share

BOTH = Budget(minutes=1, steps=100)


def test_the_limit_that_is_nearer_counts() -> None:
    assert progress(BOTH, seconds=30, first_step=0, step=20) == 0.5
    assert progress(BOTH, seconds=30, first_step=0, step=80) == 0.8
    assert used_share(BOTH, seconds=30, step=80) == 0.8


def test_a_budget_without_limits_has_no_end() -> None:
    assert progress(Budget(), 1e6, 0, 10**6) is None
    assert used_share(Budget(), 1e6, 10**6) == 0


def test_steps_before_this_stretch_count_for_the_learning_rate_but_not_for_the_progress() -> None:
    assert progress(Budget(steps=100), 0, first_step=50, step=75) == 0.5
    assert used_share(Budget(steps=100), 0, step=75) == 0.75


@pytest.mark.parametrize("first_step", [100, 120])
def test_a_budget_that_was_used_up_before_is_at_its_end(first_step: int) -> None:
    assert progress(Budget(steps=100), 0, first_step, first_step) == 1


def test_after_a_roll_back_to_before_this_stretch_progress_is_none_not_less() -> None:
    assert progress(Budget(steps=100), 5, first_step=50, step=40) == 0
    assert progress(BOTH, 30, first_step=50, step=40) == 0.5


def test_losses_that_are_infinite_both_ways_have_a_mean_that_is_no_number() -> None:
    history = [{"generator": torch.tensor(value)} for value in (math.inf, -math.inf)]
    assert math.isnan(mean_terms(history)["generator"])

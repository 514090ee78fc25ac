"""A mean over the latest steps, kept in checkpoints."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from napari_superres.training import distributed

KEPT = 0.9
"""Share of the running mean that one step leaves."""


class RunningMean:
    """What a loss remembers of the steps before.

    Parameters
    ----------
    name : in checkpoints
    like : of the shape and on the device of what is averaged
    """

    def __init__(self, name: str, like: Tensor) -> None:
        self.name = name
        self.running = torch.zeros_like(like)
        self.weight = torch.zeros((), device=like.device)

    def latest(self, counted: Tensor) -> Tensor:
        """Add what all processes counted in this step; return the mean so far."""
        self.running.lerp_(distributed.mean_over_ranks(counted), 1 - KEPT)
        self.weight.lerp_(torch.ones_like(self.weight), 1 - KEPT)
        return self.running / self.weight

    def forget(self) -> None:
        """Start the running mean again."""
        self.running.zero_()
        self.weight.zero_()

    def state(self) -> dict[str, Tensor]:
        """Return the running mean, by name."""
        return {f"{self.name}/running": self.running, f"{self.name}/weight": self.weight}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Load what `state` returned; start again where it is missing."""
        self.forget()
        for name, mine in self.state().items():
            if name in tensors and tensors[name].shape == mine.shape:
                mine.copy_(tensors[name])

"""Modules and optimisers as tensors, and back: what a checkpoint stores."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def gather_state(
    modules: Mapping[str, nn.Module], optimisers: Mapping[str, torch.optim.Optimizer]
) -> dict[str, Tensor]:
    """Return weights and optimiser states, "module/weight" and "optimiser/index/field"."""
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors |= {f"{name}/{key}": value for key, value in module.state_dict().items()}
    for name, optimiser in optimisers.items():
        for index, values in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}/{index}/{key}": value for key, value in values.items()}
    return tensors


def spread_state(
    tensors: Mapping[str, Tensor],
    modules: Mapping[str, nn.Module],
    optimisers: Mapping[str, torch.optim.Optimizer],
) -> None:
    """Load what `gather_state` returned."""
    for name, module in modules.items():
        module.load_state_dict(tensors_of(tensors, name))
    for name, optimiser in optimisers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors_of(tensors, name).items():
            index, field = key.split("/")
            state.setdefault(int(index), {})[field] = value
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": state, "param_groups": groups})


def tensors_of(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Return what `gather_state` named after one module or optimiser, without that name."""
    start = f"{name}/"
    return {key[len(start) :]: value for key, value in tensors.items() if key.startswith(start)}

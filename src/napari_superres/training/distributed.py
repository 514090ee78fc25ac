"""Several processes that train one run together: what they average and agree on.

Started by torchrun, each process draws its own crops; after each backward pass the
gradients are averaged, so that all hold the same weights (docs/decisions/0006).
Where there is one process, everything here does nothing.

Whenever processes meet they first exchange whether one of them has failed: then all
raise, instead of waiting for ever for the one that is gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from napari_superres.errors import EngineError

Value = TypeVar("Value")

PATIENCE = timedelta(days=7)  # a paused training keeps the others waiting
_alone = False


class PeerError(EngineError):
    """Another process of the same training has failed."""


def expected() -> bool:
    """Whether this process was started as one of several."""
    return dist.is_available() and int(os.environ.get("WORLD_SIZE", "1")) > 1


def size() -> int:
    """Return how many processes train together."""
    together = dist.is_available() and dist.is_initialized() and not _alone
    return dist.get_world_size() if together else 1


def rank() -> int:
    """Return the number of this process, from 0."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def is_first() -> bool:
    """Whether this process measures, writes and reports for all."""
    return rank() == 0


@contextmanager
def joined(device: str) -> Iterator[None]:
    """Join the other processes, if there are any; notify them when this one fails.

    Parameters
    ----------
    device : of this process, as `choose_device` returns it

    Raises
    ------
    EngineError
        They do not find each other.
    """
    global _alone
    if not expected() or dist.is_initialized():
        yield
        return
    backend = "cpu:gloo"
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
        backend += ",cuda:nccl"
    # Optimisers import it, and its default arguments keep the group that is there at its import:
    # the group's threads then outlive this block, and may abort the process as it ends.
    from torch.distributed.nn import functional  # noqa: F401

    try:
        dist.init_process_group(backend, timeout=PATIENCE)
    except (ValueError, RuntimeError) as error:
        raise EngineError(
            f"The processes of this training do not find each other: {str(error).splitlines()[0]}.",
            "Each needs WORLD_SIZE, RANK, MASTER_ADDR and MASTER_PORT, which torchrun sets.",
            "Start them with torchrun; for one process, unset WORLD_SIZE.",
        ) from error
    _alone = False
    try:
        with failing_together():
            yield
    finally:
        dist.destroy_process_group()


@contextmanager
def failing_together() -> Iterator[None]:
    """Notify the other processes when this one raises, and leave them."""
    try:
        yield
    except Exception as error:
        leave(error)
        raise


def leave(error: Exception) -> None:
    """Notify the others that this process has failed; from here on it works alone."""
    global _alone
    if size() > 1 and not isinstance(error, PeerError):
        _meet(failed=True)
    _alone = True


def _meet(failed: bool = False) -> None:
    flag = torch.tensor(int(failed))
    dist.all_reduce(flag, dist.ReduceOp.MAX)
    if flag and not failed:
        raise PeerError(
            "Another process of this training failed.",
            "All of them are needed.",
            "Its own message says why; the weights are kept.",
        )


def mean_over_ranks(tensor: Tensor) -> Tensor:
    """Return the mean of a tensor over all processes; the tensor itself where there is one."""
    if size() == 1:
        return tensor
    _meet()
    total = tensor.detach().clone()
    dist.all_reduce(total)
    return total / size()


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace the gradients of parameters by their mean over all processes."""
    if size() > 1:
        _average([p.grad for p in parameters if p.grad is not None])


@torch.no_grad()
def average_buffers(module: nn.Module) -> None:
    """Replace a module's floating buffers, such as batch statistics, by their mean."""
    if size() > 1:
        _average([b for b in module.buffers() if b.dtype.is_floating_point])


def _average(tensors: list[Tensor]) -> None:
    if not tensors:
        return
    together = mean_over_ranks(torch.cat([tensor.flatten() for tensor in tensors]))
    parts = torch.split(together, [tensor.numel() for tensor in tensors])
    for tensor, mean in zip(tensors, parts, strict=True):
        tensor.copy_(mean.view(tensor.shape))


def meet() -> None:
    """Wait for all processes; raise if one of them has failed."""
    if size() > 1:
        _meet()


def largest(value: int) -> int:
    """Return the largest of all processes' values: how they agree to stop."""
    if size() == 1:
        return value
    _meet()
    agreed = torch.tensor(value)
    dist.all_reduce(agreed, dist.ReduceOp.MAX)
    return int(agreed)


def from_first(value: Value) -> Value:
    """Return the first process's value in all."""
    if size() == 1:
        return value
    _meet()
    box = [value]
    dist.broadcast_object_list(box, device=torch.device("cpu"))
    return box[0]


def gathered(tensor: Tensor) -> list[Tensor]:
    """Return every process's tensor (on the CPU, of equal shapes), by rank."""
    if size() == 1:
        return [tensor]
    _meet()
    parts = [torch.empty_like(tensor) for _ in range(size())]
    dist.all_gather(parts, tensor.contiguous())
    return parts

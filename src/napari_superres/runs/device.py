"""Choosing a device, its arithmetic and its memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import sys
from dataclasses import dataclass

import psutil
import torch

from napari_superres.errors import DeviceError

GIB = 2**30


@dataclass(frozen=True)
class DeviceInfo:
    """A device that can train and generate.

    Attributes
    ----------
    name : as settings take it: cpu, cuda:0, mps
    description : as shown to the user
    total_bytes, free_bytes : of its memory
    """

    name: str
    description: str
    total_bytes: int
    free_bytes: int


def device_names() -> list[str]:
    """Return the names of the devices, the fastest kind first, querying none of them."""
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    apple = ["mps"] if torch.backends.mps.is_available() else []
    return [*(f"cuda:{index}" for index in range(cards)), *apple, "cpu"]


def device_info(name: str) -> DeviceInfo:
    """Return what is known of one of the `device_names`.

    Only this one is queried: a query costs some of a card's memory.

    Raises
    ------
    DeviceError
        A card that does not answer: full, broken, or held by another process alone.
    """
    if name.startswith("cuda:"):
        try:
            free, total = torch.cuda.mem_get_info(name)
            return DeviceInfo(name, torch.cuda.get_device_name(name), total, free)
        except RuntimeError as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise DeviceError(
                f"The device {name} does not answer: {reason}.",
                "A card that is not full, broken or held by another process alone is needed.",
                "Free it, or choose another device, such as cpu.",
            ) from error
    memory = psutil.virtual_memory()
    described = "Apple GPU"
    if name == "cpu":
        processor = platform.processor() or platform.machine()
        described = f"{processor}, {torch.get_num_threads()} threads"
    return DeviceInfo(name, described, memory.total, memory.available)


def device_report() -> list[DeviceInfo]:
    """Return all devices, the fastest kind first."""
    found = []
    for name in device_names():
        try:
            found.append(device_info(name))
        except DeviceError as error:
            found.append(DeviceInfo(name, error.found, 0, 0))
    return found


def choose_device(wanted: str = "auto") -> str:
    """Return the name of the device to use: as wanted, or the fastest for "auto".

    Raises
    ------
    DeviceError
        When the device wanted is not there, does not answer, or lacks an operation.
    """
    if wanted == "cpu":
        return wanted
    names = device_names()
    own = os.environ.get("LOCAL_RANK", "0")  # torchrun gives each process its number
    if wanted == "auto" and names[0] == "mps" and lacking_on("mps"):
        return "cpu"
    if wanted == "auto":
        wanted = names[0].partition(":")[0]
    full = f"cuda:{own}" if wanted == "cuda" else wanted
    if full not in names:
        raise DeviceError(
            f"The device {full} is not there.",
            f"One of {', '.join(names)} is needed.",
            "Choose auto to take the fastest.",
        )
    if full == "mps" and (lacking := lacking_on(full)):
        raise DeviceError(
            f"The Apple GPU cannot train: {lacking}",
            "A newer macOS or torch may be able to.",
            "Choose cpu, or auto.",
        )
    device_info(full)  # raises where a card does not answer
    return full


def lacking_on(device: str) -> str:
    """Try the operations that training needs; return what is missing, or nothing."""
    try:
        volume = torch.rand(1, 2, 4, 4, 4, device=device, requires_grad=True)
        weight = torch.rand(2, 2, 4, 4, 4, device=device, requires_grad=True)
        up = torch.nn.functional.conv_transpose3d(volume, weight, stride=2, padding=1)
        (gradient,) = torch.autograd.grad(
            torch.nn.functional.conv2d(up[:, :, 0], weight[:, :, 0]).square().sum(),
            volume,
            create_graph=True,
        )
        gradient.square().sum().backward()  # type: ignore[no-untyped-call]
    except (RuntimeError, TypeError) as error:  # torch's NotImplementedError is a RuntimeError
        return str(error).partition("\n")[0]
    return ""


def has_fast_bfloat16(device: str) -> bool:
    """Whether bfloat16 convolutions are faster than float32 ones on a device."""
    if device.startswith("cuda"):
        return bool(torch.cuda.get_device_capability(device) >= (8, 0))
    if device == "cpu":
        supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return bool(supported is not None and supported())
    return False


def arithmetic(precision: str, device: str) -> torch.dtype:
    """Return the dtype of the networks for the setting "auto", "float32" or "bfloat16"."""
    if precision == "bfloat16" or (precision == "auto" and has_fast_bfloat16(device)):
        return torch.bfloat16
    return torch.float32


def keep_freed_memory() -> None:
    """Ask glibc to keep freed buffers instead of returning them to the system.

    Large tensors come and go in every step; mapping their pages again costs up
    to a third of the time on the CPU. Threads other than the main one share its heap,
    as their own ones cannot hold large buffers. Does nothing where glibc is not used.
    """
    if not sys.platform.startswith("linux"):
        return
    trim_threshold, top_pad, mmap_max, arena_max = -1, -2, -4, -8
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(arena_max, 1)
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(top_pad, 256 * 2**20)


def autocast(device: torch.device, dtype: torch.dtype) -> contextlib.AbstractContextManager[object]:
    """Return the context in which networks compute: in bfloat16 where `dtype` is that."""
    if dtype != torch.bfloat16:
        return contextlib.nullcontext()  # torch 2.4 has none at all for Apple's GPUs
    return torch.autocast(device.type, torch.bfloat16)


def exact_convolutions() -> contextlib.AbstractContextManager[None]:
    """Return a context in which a GPU's convolutions do not depend on the shape of the tile.

    Otherwise cuDNN takes float32 for TF32, with 10 bits of mantissa, and for each shape
    the algorithm that is fastest.
    """
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)

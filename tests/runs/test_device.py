from __future__ import annotations

import pytest
import torch

from napari_superres.errors import DeviceError
from napari_superres.runs import device
from napari_superres.runs.device import DeviceInfo, choose_device, lacking_on


def having(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(device, "device_report", lambda: [DeviceInfo(n, "", 1, 1) for n in names])


def test_the_fastest_is_taken_unless_another_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    having(monkeypatch, "cuda:0", "cuda:1", "cpu")
    assert [choose_device(name) for name in ("auto", "cuda", "cuda:1", "cpu")] == [
        *("cuda:0", "cuda:0", "cuda:1", "cpu")
    ]


def test_each_process_takes_its_own_card(monkeypatch: pytest.MonkeyPatch) -> None:
    having(monkeypatch, "cuda:0", "cuda:1", "cpu")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert (choose_device("auto"), choose_device("cuda")) == ("cuda:1", "cuda:1")
    having(monkeypatch, "cuda:0", "cpu")
    with pytest.raises(DeviceError, match="cuda:1 is not there"):
        choose_device("auto")


def test_an_apple_gpu_that_lacks_an_operation_is_left_for_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    having(monkeypatch, "mps", "cpu")
    monkeypatch.setattr(device, "lacking_on", lambda name: "Conv3D is not supported on MPS")
    assert choose_device("auto") == "cpu"
    with pytest.raises(DeviceError, match="Conv3D"):
        choose_device("mps")
    monkeypatch.setattr(device, "lacking_on", lambda name: "")
    assert choose_device("auto") == choose_device("mps") == "mps"


def test_the_processor_lacks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lacking_on("cpu") == ""

    def missing(*arguments: object, **more: object) -> None:
        raise NotImplementedError("not on this device\nmore lines")

    monkeypatch.setattr(torch.nn.functional, "conv_transpose3d", missing)
    assert lacking_on("cpu") == "not on this device"

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from napari_superres.errors import DeviceError
from napari_superres.runs import device
from napari_superres.runs.device import choose_device, device_report, lacking_on


def having(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(device, "device_names", lambda: list(names))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda name: (1, 2))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda name: "a card")


def with_a_full_card(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let two cards be there, of which the first is full; return which are asked, as they are."""
    asked: list[str] = []

    def memory(name: str) -> tuple[int, int]:
        asked.append(name)
        if name == "cuda:0":
            raise RuntimeError("CUDA error: out of memory\nCompile with DSA")
        return 1, 2

    having(monkeypatch, "cuda:0", "cuda:1", "cpu")
    monkeypatch.setattr(torch.cuda, "mem_get_info", memory)
    return asked


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


WHEN_TORCH_IS_LOADED = """
import importlib, os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print(os.environ.get("PYTORCH_ENABLE_MPS_FALLBACK"))
            sys.exit()

os.environ.pop("PYTORCH_ENABLE_MPS_FALLBACK", None)
sys.meta_path.insert(0, Watch())
importlib.import_module(sys.argv[1])
"""


@pytest.mark.parametrize("module", ["runs.device", "fusion.training", "generation.render"])
def test_torch_is_told_to_leave_what_apples_gpu_lacks_before_it_is_loaded(module: str) -> None:
    command = [sys.executable, "-c", WHEN_TORCH_IS_LOADED, f"napari_superres.{module}"]
    assert subprocess.run(command, capture_output=True, text=True).stdout.strip() == "1"


def test_the_processor_lacks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lacking_on("cpu") == ""

    def missing(*arguments: object, **more: object) -> None:
        raise NotImplementedError("not on this device\nmore lines")

    monkeypatch.setattr(torch.nn.functional, "conv_transpose3d", missing)
    assert lacking_on("cpu") == "not on this device"


def test_only_the_card_that_is_wanted_is_queried(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = with_a_full_card(monkeypatch)
    assert (choose_device("cpu"), choose_device("cuda:1")) == ("cpu", "cuda:1")
    assert asked == ["cuda:1"]


def test_a_card_that_does_not_answer_is_refused_and_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_a_full_card(monkeypatch)
    with pytest.raises(DeviceError, match=r"cuda:0 does not answer: CUDA error: out of memory\. "):
        choose_device("auto")
    first, *others = device_report()
    assert "does not answer" in first.description
    assert [info.name for info in others] == ["cuda:1", "cpu"]

from __future__ import annotations

import pytest

from napari_superres.data.checks.inputs import check_inputs
from napari_superres.fusion import memory
from napari_superres.runs.device import DeviceInfo
from tests.fusion.materials import TINY, tiny_pair, tiny_settings


def needed(**engine: object) -> int:
    settings = tiny_settings(engine=TINY.replace(**engine))
    return memory.training_bytes(settings, check_inputs(tiny_pair(), settings))


def test_more_of_anything_needs_more() -> None:
    small = needed()
    assert small > memory.BASE_BYTES
    assert needed(batch=4) > small
    assert needed(slices_per_axis=8) > small
    assert needed(channels=8) > small
    assert needed(batch=4, precision="bfloat16") < needed(batch=4)


@pytest.mark.parametrize(("free", "warned"), [(2**20, True), (2**40, False)])
def test_a_warning_comes_when_it_exceeds_what_is_free(
    free: int, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "device_info", lambda name: DeviceInfo(name, "", free, free))
    settings = tiny_settings()
    text = memory.memory_warning(settings, check_inputs(tiny_pair(), settings), "cpu")
    assert (text is not None) is warned
    assert text is None or "GiB free: a smaller batch or crop" in text

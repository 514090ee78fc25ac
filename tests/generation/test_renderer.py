"""The labels of a voxel do not depend on the box that it is generated in."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_superres.config import PRESETS, Preset
from napari_superres.data.boxes import Box, cut, cut_evenly
from napari_superres.errors import EngineError, OutOfMemoryError, SettingsError
from napari_superres.generation import renderer as renderer_module
from napari_superres.generation.noise import NoiseField, layer_factors
from napari_superres.generation.renderer import Renderer, for_generation
from napari_superres.generation.tiles import result_box
from napari_superres.scale_factor import parse_scale_factor
from tests.generation.networks import LIGHT, low_res, mixed_generator

FACTORS = ["1", "8/5", "2", "3", "4", "16/3", "8", "16", "4,2,2"]
PAPER = PRESETS[Preset.PAPER]
ONE_INPUT = LIGHT.replace(noise="input", residual_blocks=2)
SHAPE = (5, 6, 4)


def renderer(scale_factor: str, network=LIGHT, shape=SHAPE) -> Renderer:
    return Renderer(mixed_generator(scale_factor, network), low_res(shape), "cpu", "float32")


def whole_pass(render: Renderer) -> tuple[Box, np.ndarray, NoiseField]:
    noise = NoiseField(3, layer_factors(render.generator))
    whole = result_box(render.low_res_shape, render.generator.scale_factor)
    return whole, render.labels(whole, noise), noise


def assert_equal_in(render: Renderer, boxes: list[Box]) -> None:
    _, expected, noise = whole_pass(render)
    assert len(np.unique(expected)) == 3
    for box in boxes:
        np.testing.assert_array_equal(render.labels(box, noise), expected[box.slices()])


@pytest.mark.parametrize("network", [LIGHT, ONE_INPUT], ids=["light", "input-noise"])
@pytest.mark.parametrize("scale_factor", FACTORS)
def test_tiles_equal_the_whole_volume_pass(scale_factor, network):
    render = renderer(scale_factor, network)
    whole = result_box(SHAPE, render.generator.scale_factor)
    assert_equal_in(render, cut_evenly(whole, [max(size // 2, 1) for size in whole.shape]))


@pytest.mark.parametrize("scale_factor", ["1", "8/5", "2", "3", "4", "4,2,2"])
def test_tiles_of_the_papers_network_equal_the_whole_volume_pass(scale_factor):
    render = renderer(scale_factor, PAPER, (4, 4, 3))
    whole = result_box((4, 4, 3), render.generator.scale_factor)
    assert_equal_in(render, cut_evenly(whole, [max(size // 2, 1) for size in whole.shape]))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(FACTORS), st.data())
def test_any_tiling_of_any_region_equals_the_whole_volume_pass(scale_factor, data):
    render = renderer(scale_factor)
    region = tuple(
        tuple(sorted(data.draw(st.sets(st.integers(0, size), min_size=2, max_size=2))))
        for size in SHAPE
    )
    try:
        part = result_box(SHAPE, parse_scale_factor(scale_factor), region)
    except SettingsError:
        assume(False)
    tile = [data.draw(st.integers(max(size // 3, 1), size)) for size in part.shape]
    assert_equal_in(render, cut(part, tile))


def test_a_volume_thinner_than_the_receptive_field_is_generated_alike():
    render = renderer("4", shape=(1, 2, 9))
    assert_equal_in(render, cut(Box.whole((4, 8, 36)), (4, 5, 7)))


def test_another_seed_gives_another_volume_with_the_same_low_res():
    render = renderer("2")
    whole, first, _ = whole_pass(render)
    second = render.labels(whole, NoiseField(4, layer_factors(render.generator)))
    assert 0.001 < (first != second).mean() < 0.9


def test_bfloat16_changes_few_voxels():
    generator = mixed_generator("4")
    volume = low_res(SHAPE)
    noise = NoiseField(0, layer_factors(generator))
    whole = result_box(SHAPE, generator.scale_factor)
    exact, fast = (
        Renderer(generator, volume, "cpu", precision).labels(whole, noise)
        for precision in ("float32", "bfloat16")
    )
    assert 0 < (exact != fast).mean() < 0.02


@pytest.mark.parametrize("shape", [(3, 3, 2), (5, 3, 6)])
@pytest.mark.parametrize("scale_factor", ["1", "8/5", "4", "16/3", "4,2,2"])
def test_the_papers_network_made_ready_computes_the_same(scale_factor, shape):
    generator = mixed_generator(scale_factor, PAPER)
    whole = result_box(shape, generator.scale_factor)
    noise = NoiseField(0)
    one_hot = torch.rand(1, 2, *generator.low_res_box(whole, shape).shape)
    with torch.inference_mode():
        expected = generator.logits(one_hot, whole, shape, noise)
        found = for_generation(generator, shape).logits(one_hot, whole, shape, noise)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_a_convolution_after_up_sampling_is_done_before_it_where_grids_fit():
    def kinds(scale_factor, shape):
        ready = for_generation(mixed_generator(scale_factor, PAPER), shape)
        return {type(block).__name__ for block in ready.blocks}

    assert "TrilinearConvolution" in kinds("8/5", (5, 5, 10))
    assert "TrilinearConvolution" not in kinds("8/5", (5, 5, 9))


class _Failing:
    """Fails for tiles above a size as a device without memory would."""

    def __init__(self, render: Renderer, largest: int, message: str) -> None:
        self.logits, self.largest, self.message = render.generator.logits, largest, message

    def __call__(self, one_hot, box, *rest):
        if max(box.shape) > self.largest:
            raise RuntimeError(self.message)
        return self.logits(one_hot, box, *rest)


@pytest.mark.parametrize(
    "message",
    [
        "DefaultCPUAllocator: can't allocate memory: you tried …",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)",
    ],
)
def test_a_tile_without_room_is_halved_until_it_fits(monkeypatch, message):
    render = renderer("4")
    whole, expected, noise = whole_pass(render)
    failing = _Failing(render, 17, message)
    monkeypatch.setattr(render.generator, "logits", failing)
    np.testing.assert_array_equal(render.labels(whole, noise), expected)


def test_no_room_even_for_a_small_tile_is_our_own_error(monkeypatch):
    render = renderer("4")
    monkeypatch.setattr(render.generator, "logits", _Failing(render, 0, "CUDA out of memory"))
    with pytest.raises(OutOfMemoryError, match="no room for a tile"):
        render.labels(Box.whole((20, 20, 20)), NoiseField(0))


@pytest.mark.parametrize(
    ("message", "error", "said"),
    [
        ("CUDA out of memory", OutOfMemoryError, r"no room for the network and .*\(5, 6, 4\)"),
        ("CUDA error: illegal access", EngineError, "Generation failed: CUDA error"),
    ],
)
def test_a_device_that_does_not_take_the_network_is_our_own_error(
    monkeypatch, message, error, said
):
    generator, refuse = mixed_generator("4"), Mock(side_effect=RuntimeError(message))
    monkeypatch.setattr(renderer_module, "for_generation", lambda *_: Mock(to=refuse))
    with pytest.raises(error, match=said):
        Renderer(generator, low_res(SHAPE), "cpu", "float32")


def test_another_failure_of_torch_is_an_engine_error(monkeypatch):
    render = renderer("4")
    monkeypatch.setattr(render.generator, "logits", _Failing(render, 0, "illegal access"))
    with pytest.raises(EngineError, match="Generation failed: illegal access"):
        render.labels(Box.whole((4, 4, 4)), NoiseField(0))


def test_a_gpus_convolutions_are_exact_while_generating_and_as_before_afterwards(monkeypatch):
    render, cudnn = renderer("4"), torch.backends.cudnn
    before, seen = (cudnn.allow_tf32, cudnn.deterministic), []
    compute = Renderer._labels

    def looking(self, *given):
        seen.append((cudnn.allow_tf32, cudnn.deterministic))
        return compute(self, *given)

    monkeypatch.setattr(Renderer, "_labels", looking)
    whole_pass(render)
    assert seen == [(False, True)]
    assert (cudnn.allow_tf32, cudnn.deterministic) == before

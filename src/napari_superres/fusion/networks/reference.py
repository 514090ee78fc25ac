"""Generators trained with the reference code, imported into a run.

The paper's authors publish generators as a state dict of these modules, in which
``i`` counts the convolutions of the residual blocks from 0:

conv_minus_1, bn_minus_1        the first layer
conv_res.i, bn_res.i            the residual blocks, two each
conv_resize_0, bn_resize_0      after a trilinear ×2, for scale factors above 4
conv_trans, bn_trans            transposed convolution, for scale factors above 2
conv_resize, bn_resize          after the last trilinear up-sampling
conv_bf_end                     the last layer

Phases are in order of their label values; the noise is the last input channel.
Residual layers beyond those that run are in the file, but untrained.
Batch normalisations generate with their running statistics.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_superres.config import PRESETS, EngineSettings, ImagingModel, Preset, TrainingSettings
from napari_superres.data.phases import phases_from_values, resolve_phase_map
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import FileError, PhaseError, ScaleFactorError, ShapeError
from napari_superres.fusion.networks.blocks import OutputConvolution
from napari_superres.fusion.networks.designs import build_generator
from napari_superres.fusion.networks.generator import Generator
from napari_superres.fusion.networks.paper_blocks import (
    NormConvolution,
    TransposedConvolution,
    UpSampledConvolution,
)
from napari_superres.runs.checkpoints import save_checkpoint
from napari_superres.runs.config import FUSION, HIGH_RES, LOW_RES
from napari_superres.runs.run import Run
from napari_superres.scale_factor import ScaleFactor, format_scale_factor, parse_scale_factor

LARGEST_FACTOR = 8
FIRST, LAST = "conv_minus_1", "conv_bf_end"
KNOWN = re.compile(r"(conv|bn)_(minus_1|res\.\d+|resize_0|trans|resize)\.|conv_bf_end\.")
UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError)


def import_reference_generator(
    path: Path,
    low_res: SegmentedVolume,
    scale_factor: ScaleFactor | int | str,
    phase_map: Mapping[int, int],
    run_folder: Path,
    high_res: SegmentedSlices | None = None,
    imaging: ImagingModel = ImagingModel.BLURRED,
    residual_blocks: int = 1,
) -> Run[TrainingSettings]:
    """Make a run from a generator's weights, as the reference code saves them.

    Parameters
    ----------
    path : state dict saved by torch, with or without DataParallel's ``module.``
    low_res : volume to generate from, m phases
    scale_factor : that it was trained for, equal along all axes, above 1 and up to 8
    phase_map : high-res label value : low-res label value, n pairs
    run_folder : new or empty
    high_res : slices that it was trained with, to measure against; None for none
    imaging : how the low-res volume came to be
    residual_blocks : in the generator's forward pass

    Raises
    ------
    FileError
        No such file, not a state dict, or not a generator of this layout.
    ShapeError
        Weights of other shapes than this scale factor's.
    PhaseError
        Weights for other numbers of phases, a phase map that does not fit.
    ScaleFactorError
        A factor that the reference code has no network for.
    OutputError
        The run folder is in use, or cannot be written.
    """
    factor = _checked_factor(scale_factor)
    if high_res is None:
        high_res = SegmentedSlices(((),), phases_from_values(list(phase_map)), None, "no slices")
    resolve_phase_map(phase_map, high_res.phases, low_res.phases)
    weights = read_reference_weights(path)
    low, high = len(low_res.phases), len(high_res.phases)
    _check_phases(path, weights, low, high)
    noise = "input" if weights[f"{FIRST}.weight"].shape[1] > low else "off"
    engine = PRESETS[Preset.PAPER].replace(noise=noise, residual_blocks=residual_blocks)
    generator = reference_generator(path, weights, engine, factor, low, high)
    settings = TrainingSettings(
        scale_factor=factor,
        phase_map=dict(phase_map),
        imaging=imaging,
        anisotropic=high_res.anisotropic,
        preset=Preset.PAPER,
        engine=engine,
    )
    run = Run.create(run_folder, FUSION, settings, {LOW_RES: low_res, HIGH_RES: high_res})
    state = {"step": 0, "elapsed_s": 0.0, "score": None, "imported_from": path.name}
    save_checkpoint(run.path / "checkpoints", generator.state_dict(), {}, state)
    return run


def read_reference_weights(path: Path) -> dict[str, Tensor]:
    """Return a state dict of the reference's layout, without DataParallel's prefix.

    Only tensors are read from the file: no code in it is run.
    """
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise FileError(
            f"{path} cannot be read as weights: {lines[0]}",
            "A state dict saved by torch.save is needed.",
            "Save generator.state_dict() with the reference code.",
        ) from error
    for candidate in (content, *(content.values() if isinstance(content, Mapping) else ())):
        weights = _without_prefix(candidate)
        if f"{FIRST}.weight" in weights and f"{LAST}.weight" in weights:
            return weights
    found = ", ".join(map(str, list(content)[:4])) if isinstance(content, Mapping) else "no names"
    raise FileError(
        f"{path} holds no generator of the reference code: it has {found or 'no names'}.",
        f"Entries named {FIRST}.weight to {LAST}.weight are needed.",
        "Choose the generator's file, not the discriminator's.",
    )


def reference_generator(
    path: Path,
    weights: Mapping[str, Tensor],
    engine: EngineSettings,
    scale_factor: ScaleFactor,
    low_phases: int,
    high_phases: int,
) -> Generator:
    """Return the paper's network with the weights of a state dict of the reference's layout."""
    generator = build_generator(engine, scale_factor, low_phases, high_phases)
    names = dict(_names(generator))
    needed = generator.state_dict()
    missing = [name for key, name in names.items() if name not in weights]
    unknown = [name for name in weights if not KNOWN.match(name)]
    about = f"scale factor {format_scale_factor(scale_factor)}"
    if missing or unknown:
        found = [f"lacks {_some(missing)}"] * bool(missing) + [f"has {_some(unknown)}"] * bool(
            unknown
        )
        raise FileError(
            f"The generator in {path} {' and '.join(found)}.",
            f"The network of {about} has {_some(list(names.values()), 40)}.",
            "Check the scale factor, and the number of residual blocks.",
        )
    for key, name in names.items():
        if weights[name].shape != needed[key].shape:
            raise ShapeError(
                f"In {path} {name} has the shape {tuple(weights[name].shape)}.",
                f"The network of {about} needs {tuple(needed[key].shape)}.",
                "Give the scale factor that the generator was trained for.",
            )
    generator.load_state_dict({key: weights[name] for key, name in names.items()})
    return generator.eval()


def _names(generator: Generator) -> Iterator[tuple[str, str]]:
    """Yield each entry's name in a checkpoint and in the reference's layout."""
    for path, name in _layers(generator):
        own = generator.saved_name(path)
        for field in ("weight", "bias"):
            yield f"{own}.conv.{field}", f"conv_{name}.{field}"
        if name != "bf_end":
            for field in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                yield f"{own}.norm.{field}", f"bn_{name}.{field}"


def _layers(generator: Generator) -> Iterator[tuple[str, str]]:
    """Yield the path of each layer, and its name in the reference's layout without ``conv_``."""
    residual = count()
    last_up_sampling = generator.blocks[-2]
    for path, layer in generator.named_modules():
        if isinstance(layer, NormConvolution):
            first = layer is generator.blocks[0]
            yield path, "minus_1" if first else f"res.{next(residual)}"
        elif isinstance(layer, UpSampledConvolution):
            yield path, "resize" if layer is last_up_sampling else "resize_0"
        elif isinstance(layer, TransposedConvolution):
            yield path, "trans"
        elif isinstance(layer, OutputConvolution):
            yield path, "bf_end"


def _checked_factor(scale_factor: ScaleFactor | int | str) -> ScaleFactor:
    factor = parse_scale_factor(scale_factor)
    if len(set(factor)) > 1 or not 1 < factor[0] <= LARGEST_FACTOR:
        raise ScaleFactorError(
            f"The scale factor is {format_scale_factor(factor)}.",
            f"The reference code has networks for one factor along all axes, above 1 and up to "
            f"{LARGEST_FACTOR}.",
            "Give the one that the generator was trained for.",
        )
    return factor


def _check_phases(path: Path, weights: Mapping[str, Tensor], low: int, high: int) -> None:
    inputs, outputs = weights[f"{FIRST}.weight"].shape[1], weights[f"{LAST}.weight"].shape[0]
    if inputs not in (low, low + 1):
        raise PhaseError(
            f"The generator in {path} reads {inputs} channels: {inputs - 1} low-res phases and "
            f"noise, or {inputs} without.",
            f"The low-res volume has {low} phases.",
            "Give a volume with the label values that the generator was trained with.",
        )
    if outputs != high:
        raise PhaseError(
            f"The generator in {path} makes {outputs} phases.",
            f"The phase map names {high} high-res phases.",
            "Give one pair for each phase that the generator makes, such as 0:0,1:1,2:1.",
        )


def _without_prefix(candidate: Any) -> dict[str, Tensor]:
    if not isinstance(candidate, Mapping):
        return {}
    return {
        str(name).removeprefix("module."): tensor
        for name, tensor in candidate.items()
        if isinstance(tensor, Tensor)
    }


def _some(names: list[str], count: int = 3) -> str:
    more = len(names) - count
    return ", ".join(names[:count]) + (f" and {more} more" if more > 0 else "")

"""The inputs of a training, read from chosen layers, and what is missing of them; no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_superres.data.pair import Pair
from napari_superres.data.phases import resolve_phase_map
from napari_superres.errors import PhaseError, ScaleFactorError, ShapeError, SuperResError
from napari_superres.scale_factor import ScaleFactor, format_scale_factor, parse_scale_factor
from napari_superres.widgets.inputs.phases import PhaseTable, make_table
from napari_superres.widgets.jobs.run_state import CHOOSE
from napari_superres.widgets.layers.data import slices_from_layers, volume_from_layer
from napari_superres.widgets.layers.notes import same_layer
from napari_superres.widgets.layers.placement import Placement, placement_of
from napari_superres.widgets.layers.view import LayerView, view_of

SMALL = 2**20
"""Bytes of layers that are read without a thread: some 20 ms."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """A pair of inputs as chosen in the Data step.

    Attributes
    ----------
    pair : with the phase table's names and colours
    table : the phases and the map
    scale_factor : low-res over high-res voxel size, zyx; None until known
    placement : of the low-res layer
    low_res_path, high_res_paths : the files behind the layers, None for none
    """

    pair: Pair
    table: PhaseTable
    scale_factor: ScaleFactor | None
    placement: Placement
    low_res_path: Path | None = None
    high_res_paths: tuple[Path | None, ...] = ()

    @property
    def values(self) -> dict[str, Any]:
        """The settings of a training that the inputs decide."""
        return {
            "scale_factor": self.scale_factor,
            "phase_map": self.table.phase_map,
            "anisotropic": self.pair.high_res.anisotropic,
        }


@dataclass(frozen=True, eq=False)
class Choice:
    """The chosen layers as they are now: threads must not touch the layers themselves."""

    low_res: LayerView
    high_res: tuple[LayerView, ...]
    anisotropic: bool
    placement: Placement

    @property
    def small(self) -> bool:
        """Whether reading them takes no time worth a thread."""
        arrays = [view.data for view in (self.low_res, *self.high_res)]
        in_memory = all(isinstance(array, np.ndarray) for array in arrays)
        return in_memory and sum(array.nbytes for array in arrays) <= SMALL


def choose_inputs(
    low_res_layer: Any | None, high_res_layers: Sequence[Any | None], anisotropic: bool = False
) -> Choice | None:
    """Return the chosen layers as they are now; None while the choice is not complete.

    One layer chosen as both raises ShapeError.

    Parameters
    ----------
    low_res_layer, high_res_layers : None for what is not chosen yet
    anisotropic : three layers, normal to z, y and x
    """
    chosen = [layer for layer in high_res_layers if layer is not None]
    if low_res_layer is None or not chosen or (anisotropic and len(chosen) != 3):
        return None
    if any(same_layer(layer, low_res_layer) for layer in chosen):
        raise ShapeError(
            f"{low_res_layer.name} is chosen as low-res and as high-res.",
            "They are two different images.",
            "Take it out of one of the two.",
        )
    return Choice(
        view_of(low_res_layer),
        tuple(view_of(layer) for layer in chosen),
        anisotropic,
        placement_of(low_res_layer),
    )


def read_choice(choice: Choice, before: PhaseTable | None = None) -> Inputs:
    """Read the chosen layers.

    Parameters
    ----------
    before : the table as edited so far, kept where the phases are the same

    Returns
    -------
    Inputs
        The scale factor is that of the voxel sizes, None where one is unknown.

    Raises
    ------
    SuperResError
        The layers cannot be used; the message says why.
    """
    pair = Pair(
        volume_from_layer(choice.low_res), slices_from_layers(choice.high_res, choice.anisotropic)
    )
    table = make_table(pair.low_res, pair.high_res, before)
    inputs = Inputs(
        pair,
        table,
        pair.implied_scale_factor,
        choice.placement,
        choice.low_res.path,
        tuple(view.path for view in choice.high_res),
    )
    return with_table(inputs, table)


def with_table(inputs: Inputs, table: PhaseTable) -> Inputs:
    """Return the inputs with the names, colours and map of `table`."""
    low_res, high_res = inputs.pair.low_res, inputs.pair.high_res
    named = Pair(
        replace(low_res, phases=table.low_res_phases(low_res.phases)),
        replace(high_res, phases=table.phases),
    )
    return replace(inputs, pair=named, table=table)


def with_scale_factor(inputs: Inputs, text: str) -> Inputs:
    """Return the inputs with a typed scale factor; empty text for unknown."""
    factor = parse_scale_factor(text) if text.strip() else None
    return replace(inputs, scale_factor=factor)


def scale_factor_note(inputs: Inputs | None, typed: ScaleFactor | None) -> str:
    """Return where the scale factor comes from, or what is missing for it."""
    if inputs is None:
        return ""
    try:
        implied = inputs.pair.implied_scale_factor
    except ScaleFactorError as error:
        return str(error)
    if implied is None:
        if typed is not None:
            return "The scale factor is as typed; the layers have no voxel sizes."
        return "The layers have no units of length: type the scale factor, or the voxel sizes."
    if typed is None or typed == implied:
        return "The scale factor is that of the voxel sizes."
    return f"The voxel sizes say {format_scale_factor(implied)}."


def problem_of(inputs: Inputs) -> SuperResError | None:
    """Return why the phases or the scale factor cannot be used, None when they can."""
    high, low = inputs.pair.high_res.phases, inputs.pair.low_res.phases
    try:
        resolve_phase_map(inputs.table.phase_map, high, low)
    except SuperResError as error:
        if len(high) < len(low):
            return error
        return PhaseError(error.found, error.needed, "Choose it under Belongs to in the table.")
    return None


def missing_text(inputs: Inputs | None, problem: str = "") -> str:
    """Return what keeps inputs from being trained with, as a sentence; empty for nothing.

    Parameters
    ----------
    problem : why there are no inputs, where layers are chosen
    """
    if inputs is None:
        return problem or CHOOSE
    wrong = problem_of(inputs)
    if wrong is not None:
        return str(wrong)
    if inputs.scale_factor is None:
        return "The scale factor is not known. Type it, or both voxel sizes, in step 1, Data."
    return ""


def shares_text(inputs: Inputs | None) -> str:
    """Return each low-res phase's fraction beside that of its high-res phases, a line each."""
    if inputs is None:
        return ""
    lines = []
    names = {phase.value: phase.name for phase in inputs.pair.low_res.phases}
    for value, low, high in inputs.table.fractions_side_by_side():
        lines.append(f"low-res {value} ({names[value]}): {low:.3f} there, {high:.3f} in the slices")
    return "<br>".join(lines)

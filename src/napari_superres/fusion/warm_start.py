"""Start from the networks of another run: transfer learning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_superres.config import TrainingSettings
from napari_superres.data.pair import Pair
from napari_superres.data.phases import Phase, resolve_phase_map
from napari_superres.errors import PhaseError, ScaleFactorError, SettingsError
from napari_superres.fusion.networks.trained import FusionNetworks
from napari_superres.runs.checkpoints import check_can_train, load_checkpoint
from napari_superres.runs.config import FUSION, HIGH_RES, LOW_RES
from napari_superres.runs.run import Run
from napari_superres.scale_factor import format_scale_factor

SHAPES = (
    "generator",
    "channels",
    "max_channels",
    "residual_blocks",
    "noise",
    "discriminator_channels",
)
"""Engine settings that the weights' shapes depend on."""


def start_from(networks: FusionNetworks, source: Path) -> None:
    """Load generator, average and discriminators of another run's best checkpoint.

    Optimisers start from nothing.
    """
    best = Run.open(source, FUSION).find_checkpoint("best")
    networks.start_from(*load_checkpoint(best.folder))


def check_start(source: Path, settings: TrainingSettings, pair: Pair) -> None:
    """Check that a new run can start from another one, whose folder is `source`.

    Phases correspond by their order. An InputError says what differs: phases, phase map,
    scale factor or network; or that there is no run to start from.
    """
    other = Run.open(source, FUSION)
    check_can_train(other.path)
    other.find_checkpoint("best")
    known, low_res, high_res = other.settings, pair.low_res.phases, pair.high_res.phases
    theirs = _phase_map(known, other.kept(LOW_RES).phases, other.kept(HIGH_RES).phases)
    ours = _phase_map(settings, low_res, high_res)
    counts = (len(other.kept(LOW_RES).phases), len(low_res))
    if theirs != ours or counts[0] != counts[1]:
        raise PhaseError(
            f"{source} was trained on {counts[0]} low-res and {len(theirs)} high-res phases, "
            f"with the low-res phases {theirs} of the high-res ones.",
            f"These inputs have {counts[1]} and {len(ours)}, with {ours}.",
            "Start from a run with the same phases in the same order, or from random weights.",
        )
    if known.scale_factor != settings.scale_factor:
        raise ScaleFactorError(
            f"{source} was trained at scale factor {format_scale_factor(known.scale_factor)}.",
            f"This run's is {format_scale_factor(settings.scale_factor)}.",
            "Start from a run with the same scale factor, or from random weights.",
        )
    differing = [
        f"{name} {getattr(known.engine, name)} there, {getattr(settings.engine, name)} here"
        for name in SHAPES
        if getattr(known.engine, name) != getattr(settings.engine, name)
    ]
    if known.anisotropic != settings.anisotropic:
        differing.append("one of the two is anisotropic: another number of discriminators")
    if differing:
        raise SettingsError(
            f"The networks of {source} are others: {'; '.join(differing)}.",
            "The same networks are needed.",
            "Choose its preset and settings, or start from random weights.",
        )


def _phase_map(
    settings: TrainingSettings, low_res: Sequence[Phase], high_res: Sequence[Phase]
) -> list[int]:
    """Return the low-res index of each high-res index."""
    index = resolve_phase_map(settings.phase_map, high_res, low_res)
    return [int(low) for low in index]

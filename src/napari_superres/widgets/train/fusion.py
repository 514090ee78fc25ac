"""What the training of a fusion is set up with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_superres.config import PRESETS, Budget, TrainingSettings
from napari_superres.widgets.inputs.inputs import Inputs
from napari_superres.widgets.run.command import train_command
from napari_superres.widgets.train.step import TrainKind


def _values(inputs: Inputs) -> Mapping[str, Any]:
    return {
        "scale_factor": inputs.scale_factor,
        "phase_map": inputs.table.phase_map,
        "anisotropic": inputs.pair.high_res.anisotropic,
    }


def _command(settings: TrainingSettings, inputs: Inputs, budget: Budget, folder: Path) -> str:
    return train_command(settings, budget, folder, inputs.low_res_path, inputs.high_res_paths)


TRAIN_FUSION = TrainKind(
    model=TrainingSettings,
    presets=PRESETS,
    preset_texts=(
        ("quick: minutes on a laptop", "quick"),
        ("standard: for a GPU", "standard"),
        ("paper: networks and losses of the paper", "paper"),
    ),
    values=_values,
    command=_command,
    run_name=lambda inputs: inputs.pair.low_res.name if inputs is not None else "",
    minutes=5,
    choices={
        "imaging": (
            "Imaging model",
            (
                ("blurred: under-resolved, as X-ray CT", "blurred"),
                ("sampled: under-sampled, as SEM", "sampled"),
            ),
        )
    },
    more=("blur_kernel", "blur_sd", "one_sided", "rotations", "mirrors", "warm_start"),
    opened_in="in step 3, Monitor",
)

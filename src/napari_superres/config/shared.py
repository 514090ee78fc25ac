"""Settings that several kinds of training have, with their descriptions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Annealing = Annotated[
    float,
    Field(
        ge=0,
        le=1,
        description="Last share of the budget in which the learning rate falls, in a straight "
        "line, to a fiftieth; 0 for a constant one.",
    ),
]
Device = Annotated[str, Field(description="auto, cpu, cuda, cuda:1 or mps.")]
Patience = Annotated[
    int | None,
    Field(
        ge=1,
        description="End after so many measurements without a better one; empty to use the whole "
        "budget.",
    ),
]
Precision = Annotated[
    Literal["auto", "float32", "bfloat16"],
    Field(description="Arithmetic of the networks; auto takes bfloat16 where it is faster."),
]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1, description="Same seed, same run (on the CPU).")]
SAFE_FOR_ALL = (
    "batch",
    "learning_rate",
    "annealing",
    "precision",
    "measure_every",
    "patience",
    "preview_seconds",
    "checkpoint_seconds",
)
"""What a resumed run of any kind may have other values of: no weight changes its shape."""

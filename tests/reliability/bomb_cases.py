"""Which bomb goes where."""

from __future__ import annotations

from dataclasses import replace

from tests.reliability import bombs
from tests.reliability.mutations import Mutation
from tests.reliability.targets import Target, target_called

_ZARR = [
    replace(target_called(name), file="low.zarr") for name in ("measure zarr", "simulate zarr")
]
_WEIGHTS = [
    replace(target_called("generate"), file="run/checkpoints/*/generator.safetensors"),
    replace(target_called("resume"), file="run/checkpoints/*/training.safetensors"),
    replace(target_called("synthesise sample"), file="synth/checkpoints/*/generator.safetensors"),
    replace(target_called("translate apply"), file="trans/checkpoints/*/generator.safetensors"),
]
_TIFF = [
    target_called("measure low.tif"), target_called("train, high-res"),
    target_called("translate apply, image"),
    replace(target_called("resume"), file="run/inputs/low_res.tif"),
]  # fmt: skip

BOMB_CASES: list[tuple[Target, Mutation]] = [
    (target, bombs.as_mutation(bomb))
    for targets, kind in (
        (_TIFF, bombs.TIFF),
        ([target_called("measure low.npy")], bombs.NPY),
        ([target_called("synthesise train, PNG")], (bombs.png_that_claims,)),
        (_ZARR, bombs.ZARR),
        (_WEIGHTS, bombs.SAFETENSORS),
    )
    for target in targets
    for bomb in kind
]

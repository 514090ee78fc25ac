"""Whole inputs and trained runs, tiny, that the cases damage copies of."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tifffile
import torch
from PIL import Image

from napari_superres.config import PRESETS, Budget, Preset
from napari_superres.data.boxes import Box
from napari_superres.data.files.ome_zarr import create_pyramid, put_block
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.fusion.networks.designs import build_generator
from napari_superres.fusion.networks.reference import _names
from napari_superres.fusion.training import train
from napari_superres.scale_factor import parse_scale_factor
from napari_superres.synthesis.training import train as train_style
from napari_superres.translation.training import train as train_translation
from tests.fusion.materials import tiny_pair, tiny_settings
from tests.synthesis.materials import tiny_images
from tests.synthesis.materials import tiny_settings as style_settings
from tests.translation.materials import images as translation_images
from tests.translation.materials import settings as translation_settings

STEPS = 3
SIZE = {"voxel_size": (0.2, 0.2, 0.2)}


def make(folder: Path) -> Path:
    """Fill a folder with files of every kind that the project reads, and return it."""
    folder.mkdir(parents=True)
    pair = tiny_pair()
    low_res = pair.low_res
    labels, phases = low_res.values, low_res.phases
    write_labels_tiff(folder / "low.tif", labels, **SIZE, phases=phases)
    write_labels_tiff(folder / "low.ome.tif", labels, **SIZE, phases=phases, flavour="ome")
    tifffile.imwrite(folder / "plain.tif", labels, photometric="minisblack", rowsperstrip=3)
    np.save(folder / "low.npy", labels)
    levels = create_pyramid(
        folder / "low.zarr", labels.shape, 8, **SIZE, offset=None, phases=phases, provenance={}
    )
    values = np.array([phase.value for phase in phases], np.uint8)
    for start in np.ndindex(2, 2, 2):
        z, y, x = (8 * at for at in start)
        block = Box((z, y, x), (min(z + 8, 14), min(y + 8, 13), min(x + 8, 12)))
        put_block(levels, (z, y, x), low_res.labels[block.slices()], values, len(phases))
    image = pair.high_res.sets[0][0]
    write_labels_tiff(folder / "high.tif", image[None], voxel_size=(0.1, 0.1, 0.1))
    fine = np.random.default_rng(0).integers(0, 3, (28, 26, 24)).astype(np.uint8)
    write_labels_tiff(folder / "sr.tif", fine, voxel_size=(0.1, 0.1, 0.1))
    grey = tiny_images().images[0]
    Image.fromarray(grey).save(folder / "grey.png")
    Image.fromarray(grey).save(folder / "grey.jpg")
    tifffile.imwrite(folder / "grey.tif", grey[:16, :16])
    budget = Budget(steps=STEPS)
    list(train(pair, tiny_settings(), folder / "run", budget))
    list(train_style(tiny_images(), style_settings(), folder / "synth", budget))
    sets = translation_images(16), translation_images(32, seed=1)
    list(train_translation(*sets, translation_settings(), folder / "trans", budget))
    _reference_weights(folder / "weights.pt")
    return folder


def _reference_weights(file: Path) -> None:
    """Save random weights of the reference's layout."""
    engine = PRESETS[Preset.PAPER].replace(noise="input", residual_blocks=1)
    generator = build_generator(engine, parse_scale_factor("2"), 2, 3)
    own = generator.state_dict()
    torch.save({name: own[key] for key, name in _names(generator)}, file)


if __name__ == "__main__":
    make(Path(sys.argv[1]))

"""A trained generator from a run folder."""

from __future__ import annotations

from napari_superres.fusion.generator import Generator
from napari_superres.fusion.generator_designs import build_generator
from napari_superres.runs.checkpoint_loading import load_weights
from napari_superres.runs.folder import RunFolder


def load_generator(run: RunFolder, checkpoint: str = "best", device: str = "cpu") -> Generator:
    """Return the generator of a checkpoint, ready to generate.

    Parameters
    ----------
    run : an opened run
    checkpoint : best, last, or a step
    device : where to put it

    Raises
    ------
    RunFolderError
        No such checkpoint, or damaged weights.
    """
    info = run.find_checkpoint(checkpoint)
    config = run.config
    generator = build_generator(
        config.settings.engine,
        config.settings.scale_factor,
        len(config.low_res_phases),
        len(config.high_res_phases),
    )
    load_weights(generator, info.folder)
    return generator.to(device).eval().requires_grad_(False)

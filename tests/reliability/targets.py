"""The commands that the trial by faults runs, and the file that is damaged before each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A command and the file that is damaged before it runs.

    Attributes
    ----------
    name : for tables
    file : glob below the inputs
    command : arguments; IN and OUT stand for the folders
    writes : folders, beside OUT, in which it may write
    """

    name: str
    file: str
    command: tuple[str, ...]
    writes: tuple[str, ...] = ()


_TRAIN = ("--device", "cpu", "--steps", "1")
_FUSE = (
    "--scale-factor", "2", "--phase-map", "0:0,1:1,2:0", "--run", "OUT/run", *_TRAIN,
    "--set", "channels=4", "--set", "max_channels=8", "--set", "discriminator_channels=[4,8]",
    "--set", "crop=16", "--set", "precision=float32",
)  # fmt: skip
_STYLE = (
    "--size", "16", "--grey", "--held-out", "0.25", "--set", "base_channels=64",
    "--set", "max_channels=8", "--set", "latent=8", "--set", "batch=4",
    "--set", "measured_images=4",
)  # fmt: skip
_CPU = ("--device", "cpu")
_GENERATE = ("generate", "IN/run", "--output", "OUT/sr.tif", *_CPU)
_SAMPLE = ("synthesise", "sample", "IN/synth", "--output", "OUT/s.tif", "--count", "2", *_CPU)
_APPLY = ("translate", "apply", "IN/trans", "--output", "OUT/t.tif", *_CPU)
_PAIR = ("train", "--low-res", "IN/low.tif", "--high-res", "IN/high.tif", *_FUSE)

TARGETS: tuple[Target, ...] = (
    *(Target(f"measure {n}", n, ("measure", f"IN/{n}", "--json", "OUT/m.json"))
      for n in ("low.tif", "low.ome.tif", "plain.tif", "low.npy")),
    Target("measure zarr", "low.zarr/**/*", ("measure", "IN/low.zarr")),
    Target("simulate zarr", "low.zarr/**/*", ("simulate-low-res", "IN/low.zarr", "--scale-factor",
                                             "2", "--output", "OUT/coarse.tif")),
    Target("train, low-res", "low.tif", _PAIR),
    Target("train, high-res", "high.tif", _PAIR),
    Target("synthesise train, PNG", "grey.png", ("synthesise", "train", "--images", "IN/grey.png",
                                                 *_STYLE, "--run", "OUT/run", *_TRAIN)),
    Target("synthesise train, JPEG", "grey.jpg", ("synthesise", "train", "--images", "IN/grey.jpg",
                                                  *_STYLE, "--run", "OUT/run", *_TRAIN)),
    Target("resume", "run/**/*", ("resume", "IN/run", "--steps", "5"), ("run",)),
    Target("generate", "run/**/*", _GENERATE),
    Target("generate, other volume", "low.tif", (*_GENERATE, "--low-res", "IN/low.tif")),
    Target("checkpoints", "run/**/*", ("checkpoints", "IN/run")),
    Target("measure run", "run/**/*", ("measure", "IN/sr.tif", "--run", "IN/run")),
    Target("synthesise sample", "synth/**/*", _SAMPLE),
    Target("synthesise resume", "synth/**/*", ("resume", "IN/synth", "--steps", "5"), ("synth",)),
    Target("translate apply", "trans/**/*", (*_APPLY, "--low-res", "IN/grey.tif")),
    Target("translate resume", "trans/**/*", ("resume", "IN/trans", "--steps", "5"), ("trans",)),
    Target("translate apply, image", "grey.tif", (*_APPLY, "--low-res", "IN/grey.tif")),
    Target("import-reference", "weights.pt", (
        "import-reference", "IN/weights.pt", "--low-res", "IN/low.tif", "--scale-factor", "2",
        "--phase-map", "0:0,1:1,2:0", "--run", "OUT/run")),
)  # fmt: skip


def target_called(name: str) -> Target:
    """Return a target by its name."""
    return next(target for target in TARGETS if target.name == name)

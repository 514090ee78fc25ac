"""What each of two processes does in test_distributed.py: started by torchrun's variables."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from napari_superres.config import Budget
from napari_superres.fusion.step import FusionLearner
from napari_superres.fusion.training import FusionRecipe, train
from napari_superres.training import distributed
from napari_superres.training.clock import Clock
from napari_superres.training.networks import descend
from napari_superres.training.start import start
from tests.fusion.materials import TINY, tiny_pair, tiny_settings
from tests.training.kinds import KINDS

FIXED = TINY.replace(noise="off", voxel_threshold=0.0, clip_norm=None, gradient_penalty=1.0)


def fixed_trainer() -> FusionLearner:
    pair = tiny_pair()
    settings = tiny_settings(engine=FIXED)
    return FusionRecipe(pair, settings).learner("cpu")


def gradients(trainer: FusionLearner, crops: slice) -> dict[str, torch.Tensor]:
    """Return the gradients of one step on a part of four fixed crops and their slices."""
    random = torch.Generator().manual_seed(3)
    starts = trainer.material.low_res.random_starts(4, random)[crops]
    reals = torch.stack([trainer.material.slices[0].sample(48, random) for _ in range(4)])[crops]
    context, _ = trainer.material.low_res.pair(starts)
    logits = trainer.logits(trainer.networks.generator, context, trainer.noise)
    fake = torch.softmax(logits, 1)
    cuts = torch.cat([fake.movedim(axis + 2, 1).flatten(0, 1) for axis in range(3)])
    real = torch.cat([reals[:, 16 * axis : 16 * axis + 16].flatten(0, 1) for axis in range(3)])
    pairs = [(trainer.networks.discriminators[0], cuts, real)]
    trainer.steps = 1
    trainer.adversary.update(trainer.networks, pairs, penalise=True)
    found = grads("d", trainer.networks.discriminators)
    trainer.networks.generator_optimiser.zero_grad()
    loss = (trainer.adversary.score(pairs[0][0], cuts) - 1).square().mean() + (
        fake[:, 0].mean() - 0.3
    )
    descend(trainer.networks.generator_optimiser, loss, trainer.engine.clip_norm)
    return found | grads("g", trainer.networks.generator)


def grads(name: str, module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": p.grad.clone()
        for key, p in module.named_parameters()
        if p.grad is not None
    }


def fail_on_the_second(trainer: FusionLearner) -> object:
    if distributed.rank() == 1 and trainer.steps == 2:
        raise torch.OutOfMemoryError("out of memory")
    return PARTS(trainer)


def of_its_own(clock: Clock) -> float:
    """Seconds as if the second process had begun later: it is at 75 %, the first at 90 %."""
    return 540.0 - 90 * distributed.rank()


def train_images(task: str, folder: Path) -> None:
    """Train from images and save what this process holds in the end."""
    kind = next(kind for kind in KINDS if kind.name == task)
    recipe, kept = kind.recipe(kind.settings), []
    build = recipe.build

    def remembering(device: str, *, new: bool) -> object:
        made = build(device, new=new)
        kept.append(made[0])
        return made

    recipe.build = remembering
    list(start(recipe, folder / "run", Budget(steps=4)))
    torch.save(kept[0].networks.state(), folder / f"weights-{os.environ['RANK']}.pt")


PARTS = FusionLearner.parts


def main(task: str, folder: Path) -> None:
    if task == "gradients":
        with distributed.joined("cpu"):
            rank = distributed.rank()
            found = gradients(fixed_trainer(), slice(2 * rank, 2 * rank + 2))
            torch.save(found, folder / f"gradients-{rank}.pt")
        return
    if task in ("synthesis", "translation"):
        train_images(task, folder)
        return
    budget = Budget(steps=4)
    if task == "fail":
        FusionLearner.parts = fail_on_the_second  # type: ignore[assignment, method-assign]
    if task == "minutes":
        budget = Budget(minutes=10, steps=4)
        Clock.seconds = of_its_own  # type: ignore[method-assign]
    kept: list[FusionLearner] = []
    make = FusionLearner.__init__

    def remembering(self: FusionLearner, *args: object) -> None:
        make(self, *args)  # type: ignore[arg-type]
        kept.append(self)

    FusionLearner.__init__ = remembering  # type: ignore[assignment, method-assign]
    rank = "?"
    for event in train(tiny_pair(), tiny_settings(), folder / "run", budget):
        rank = str(distributed.rank())
        with open(folder / f"events-{rank}.txt", "a") as file:
            file.write(type(event).__name__ + "\n")
    threads = [file.read_text() for file in Path("/proc/self/task").glob("*/comm")]
    (folder / f"threads-{rank}.txt").write_text("".join(threads))
    networks = kept[0].networks
    weights = {**networks.generator.state_dict(), **networks.discriminators.state_dict()}
    torch.save([weights, kept[0].random.get_state()], folder / f"weights-{rank}.pt")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

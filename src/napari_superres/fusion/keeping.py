"""Checkpoints of a training loop: what is saved, what can be gone back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from napari_superres.errors import SuperResError
from napari_superres.events import CheckpointSaved
from napari_superres.fusion import distributed
from napari_superres.fusion.evaluation import Evaluator
from napari_superres.fusion.failures import free_memory
from napari_superres.fusion.step import Trainer
from napari_superres.runs.checkpoints import CheckpointInfo, save_checkpoint
from napari_superres.runs.folder import RunFolder


@dataclass
class Keeper:
    """Saves a trainer's state in a run folder.

    Attributes
    ----------
    saved_step : of the latest checkpoint; None before the first
    """

    run: RunFolder
    trainer: Trainer
    evaluator: Evaluator
    saved_step: int | None = None

    def save(
        self, state: Mapping[str, Any], measured: Mapping[str, Any] | None, best: float
    ) -> CheckpointSaved | None:
        """Save a checkpoint with its numbers and picture. All processes call it together.

        Parameters
        ----------
        state : what state.json holds beside step and numbers
        measured : the latest measurement
        best : lowest score so far
        """
        trainer, step = self.trainer, self.trainer.steps
        tensors = trainer.state()
        self.saved_step = step
        if not distributed.is_first():
            return None
        numbers = measured if measured and measured["step"] == step else None
        score = numbers["score"] if numbers else None
        if numbers is None and step > 0:
            # no score: what is measured when the clock says so must not become the best
            measurement, passing = self.evaluator.measure()
            numbers = {"step": step, "score": passing} | asdict(measurement)
        folder = save_checkpoint(
            self.run.path / "checkpoints",
            trainer.networks.average.state_dict(),
            tensors,
            {"step": step, "score": score, "measurement": numbers, **state},
            self.evaluator.picture(),
        )
        return CheckpointSaved(step, folder, score is not None and score <= best)

    def rescue(
        self,
        error: Exception,
        state: Callable[[], Mapping[str, Any]],
        healthy: Callable[[], bool],
        in_step: bool,
    ) -> bool:
        """Free memory and save after a failure; return whether there is a checkpoint.

        Parameters
        ----------
        error : what has happened
        state : gives what `save` is given
        healthy : whether the weights are worth saving
        in_step : whether it happened within a step, which then does not count
        """
        distributed.leave(error)
        trainer = self.trainer
        trainer.networks.forget_gradients()
        free_memory(error)
        if not distributed.is_first():
            return False
        trainer.steps -= int(in_step)
        # what fails here is told by the error already, and earlier checkpoints are whole
        with suppress(RuntimeError, MemoryError, SuperResError):
            if self.saved_step != trainer.steps and healthy():
                whole = {"step": trainer.steps, "score": None, "measurement": None, **state()}
                average = trainer.networks.average.state_dict()
                save_checkpoint(self.run.path / "checkpoints", average, trainer.state(), whole)
        return bool(self.run.checkpoints())

    def last_good(self) -> CheckpointInfo | None:
        """Return the latest checkpoint to go back to; the first process decides."""
        if not distributed.is_first():
            return None
        good = [info for info in self.run.checkpoints() if info.state.get("good")]
        return good[-1] if good else None

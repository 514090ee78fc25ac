"""The panel of fusion: its steps as tabs in one dock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_superres.config import PRESETS, Budget, TrainingSettings
from napari_superres.widgets.compare.step import CompareStep
from napari_superres.widgets.data.step import DataStep
from napari_superres.widgets.export.step import ExportStep
from napari_superres.widgets.generate.step import GenerateStep
from napari_superres.widgets.inputs.inputs import Inputs
from napari_superres.widgets.jobs.run_state import GENERATE
from napari_superres.widgets.measure.step import MeasureStep
from napari_superres.widgets.monitor.step import MonitorStep
from napari_superres.widgets.parts.keys import MAIN, press_by_key
from napari_superres.widgets.parts.layout import fill_column
from napari_superres.widgets.run.command import train_command
from napari_superres.widgets.run.run_bar import RunBar
from napari_superres.widgets.run.session import Session
from napari_superres.widgets.run.step import Step
from napari_superres.widgets.train.dock import TrainingDock, scrolled
from napari_superres.widgets.train.step import TrainKind, TrainStep


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


class SuperResDock(TrainingDock):
    """Data, Train, Monitor, Generate, Compare, Measure, Export; below them the run bar."""

    title = "SuperRes Fusion"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        shared = self.session
        self.training = shared.fusion
        self.data = DataStep(napari_viewer, shared)
        self.train = TrainStep(napari_viewer, shared.fusion, TRAIN_FUSION)
        self.monitor = self.watch = MonitorStep(napari_viewer, shared)
        self.generate = GenerateStep(napari_viewer, shared)
        self.compare = CompareStep(napari_viewer, shared)
        self.measure = MeasureStep(napari_viewer, shared)
        self.export = ExportStep(napari_viewer, shared)
        steps: tuple[Step, ...] = (
            self.data,
            self.train,
            self.monitor,
            self.generate,
            self.compare,
            self.measure,
            self.export,
        )
        self.lay_out(steps, GENERATE)
        # seven tabs, in a panel that leaves the canvas its room
        self.tabs.setStyleSheet("QTabBar::tab { padding: 5px 4px; min-width: 0; }")
        for step, button in (
            (self.generate, self.generate.generate),
            (self.measure, self.measure.measure),
            (self.export, self.export.export),
        ):
            press_by_key(MAIN, button, step)
        self.training.checkpoint_chosen.connect(self._on_checkpoint)

    def start(self) -> None:
        """Start a training with the layers as they are now: they may have been painted."""
        self.data.refresh(then=self.train.start)

    def _on_checkpoint(self, _name: str) -> None:
        self.show_step(self.generate)


class TrainPanel(Step):
    """Step 2 by itself, with the run bar."""

    title = "Train"

    def __init__(self, napari_viewer: Any, session: Session | None = None) -> None:
        super().__init__(napari_viewer, session)
        training = self.session.fusion
        self.train = TrainStep(napari_viewer, training, TRAIN_FUSION)
        self.run_bar = RunBar(training)
        fill_column(self, scrolled(self.train), self.run_bar).setStretch(0, 1)
        self.run_bar.start_asked.connect(self._start)
        self.run_bar.continue_asked.connect(self.train.continue_run)
        self.run_bar.listen_to_keys(self)
        self.train.find_devices()

    def _start(self) -> None:
        self.session.fusion.read_again(self.train.start)

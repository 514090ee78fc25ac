"""A fourth kind of training, whole: a line that learns the mean of an image."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from napari_superres.config import Budget, FrozenModel
from napari_superres.data.files.images import ImageSet
from napari_superres.events import ImagesMeasured, ImagesReady, Measurement, TrainingFinished
from napari_superres.runs.config import Kind
from napari_superres.runs.run import Run
from napari_superres.training.learner import Judgement, Pace
from napari_superres.training.networks import NetworkLearner, Networks, descend, detached
from napari_superres.training.start import resume, start


class Engine(FrozenModel):
    SAFE_TO_CHANGE: ClassVar[tuple[str, ...]] = ("learning_rate",)
    learning_rate: float = 0.05
    annealing: float = 0.0
    measure_every: int = 5
    preview_seconds: float = 60.0
    checkpoint_seconds: float = 60.0
    patience: int | None = None
    precision: str = "float32"


class Settings(FrozenModel):
    device: str = "cpu"
    seed: int = 0
    engine: Engine = Engine()

    def less_memory(self):
        return {}


FOURTH = Kind("fourth", Settings)
IMAGES = ImageSet((np.full((8, 8), 51, np.uint8),))


# A fourth kind of training begins here …
class Line(Networks):
    def __init__(self, seed):
        torch.manual_seed(seed)
        made = torch.nn.Linear(1, 1)
        self.adam = torch.optim.Adam(made.parameters())
        super().__init__(torch.nn.Linear(1, 1), {"line": made}, {}, {"adam": self.adam}, ())

    def again(self, seed):
        return Line(seed)


class LineLearner(NetworkLearner):
    def parts(self):
        self.steps += 1
        x = torch.rand((16, 1), generator=self.random)
        loss = (self.networks.generator(x) - 51 / 255).square().mean()
        descend(self.networks.adam, loss)
        self.networks.update_average(0.5)
        yield "line", detached({"loss": loss})


@dataclass
class LineJudge:
    learner: LineLearner
    target = Measurement({}, {})

    def measure(self):
        error = float((self.learner.networks.average(torch.ones(1, 1)) - 51 / 255).detach().abs())
        told = {"error": error}
        return Judgement(error, {}, told, lambda n, best: ImagesMeasured(n, told, {}, error, best))

    def preview(self, step):
        return ImagesReady(step, {})

    def keep(self, run, preview): ...
    def picture(self): ...


@dataclass
class LineRecipe:
    settings: Settings
    kind = FOURTH

    @property
    def pace(self):
        return Pace.of(self.settings.engine)

    def check(self, *, new): ...

    def sources(self):
        return {"images": IMAGES}

    def warnings(self, device):
        return ()

    def build(self, device, *, new):
        learner = LineLearner(self.settings, Line(self.settings.seed), device)
        return learner, LineJudge(learner)


# … and ends here.
def test_a_fourth_kind_trains_and_resumes_by_the_loop_of_all(tmp_path):
    *_, stopped = start(LineRecipe(Settings()), tmp_path / "run", Budget(steps=20))
    assert isinstance(stopped, TrainingFinished)
    *_, last = resume(
        tmp_path / "run", FOURTH, lambda run: LineRecipe(run.settings), Budget(steps=60)
    )
    assert last.step == 60
    run = Run.open(tmp_path / "run", FOURTH)
    scores = [line["score"] for line in run.measurements()]
    assert len(scores) == 12
    assert scores[-1] < 0.1 * scores[0]


def test_a_fourth_kind_fits_into_sixty_lines():
    text = Path(__file__).read_text(encoding="utf-8")
    kind = text.partition("begins here …")[2].partition("# … and ends here.")[0]
    assert sum(bool(line.strip()) for line in kind.splitlines()) < 60

"""A viewer with the panel docked, for tests that drive it as a person would."""

from napari_superres.widgets.data.examples import example_layers
from napari_superres.widgets.dock import SuperResDock
from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.layers.notes import KEY, SUPER_RES, role_of
from napari_superres.widgets.layers.shown import phase_layer
from napari_superres.widgets.run.session import Session
from tests.fakes import PHASES


def add_super_res(viewer, labels, name):
    """Add a layer of the three phases, as a generation of scale factor 4 does."""
    data, arguments, _ = phase_layer(labels, PHASES, name, SUPER_RES)
    arguments["metadata"][KEY]["scale_factor"] = "4"
    return viewer.add_labels(data, **arguments)


class Bench:
    """A viewer with the panel docked and small inputs chosen."""

    def __init__(self, viewer, engine, example, qtbot, tmp_path):
        self.viewer, self.qtbot = viewer, qtbot
        self.session = Session(engine)
        self.dock = SuperResDock(viewer, self.session)
        self.window = viewer.window.add_dock_widget(self.dock, name="bench")
        self.dock.data.add_layers(example_layers(example))
        self.dock.train.use_folder(tmp_path / "run")

    def until(self, state):
        self.qtbot.waitUntil(lambda: self.session.fusion.runner.state is state, timeout=8000)

    def trained(self):
        self.dock.run_bar.start.click()
        self.until(RunState.COMPLETED)

    def generated(self):
        self.trained()
        self.dock.generate.generate.click()
        state = self.session.generation.runner
        self.qtbot.waitUntil(lambda: state.state is RunState.COMPLETED, timeout=8000)
        return next(layer for layer in self.viewer.layers if role_of(layer) == SUPER_RES)

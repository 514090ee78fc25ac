"""The scenes after a training: volumes generated, compared, measured, exported."""

from __future__ import annotations

import sys

from napari.layers import Image as ImageLayer

from napari_superres.widgets.jobs.run_state import RunState
from napari_superres.widgets.layers.notes import SUPER_RES, role_of
from screenshots.journey import Journey


def generate(journey: Journey) -> None:
    """Generate; look at the result in 2D and in 3D."""
    journey.step(4)
    _make(journey, seed=0)
    journey.picture("09-generated")
    journey.viewer.dims.ndisplay = 3
    journey.dock.generate.hidden.setCurrentIndex(1)
    shown = {layer.name: layer.visible for layer in journey.viewer.layers}
    for layer in journey.viewer.layers:
        layer.visible = layer.name.startswith("super-res")
    journey.viewer.scene.camera.angles = (5, 35, 145)
    journey.viewer.scene.camera.center = tuple(journey.volume.extent.world.mean(0))
    journey.viewer.scene.camera.zoom = 18
    journey.picture("10-generated-3d")
    journey.dock.generate.hidden.setCurrentIndex(0)
    journey.viewer.dims.ndisplay = 2
    for layer in journey.viewer.layers:
        layer.visible = shown[layer.name]
    journey.viewer.reset_view()


def _make(journey: Journey, seed: int) -> None:
    """Generate a volume and wait for its layer: a fast machine is done in no time."""

    def made() -> int:
        return sum(role_of(layer) == SUPER_RES for layer in journey.viewer.layers)

    before = made()
    journey.dock.generate.form.seed.setValue(seed)
    journey.click(journey.dock.generate.generate)
    journey.until("it is generated", lambda: made() > before)
    runner = journey.dock.session.generation.runner
    journey.until("the thread has ended", lambda: not runner.active)


def compare(journey: Journey) -> None:
    """Generate other realisations; look at them together, swipe, map and measure them."""
    for seed in (1, 2):
        _make(journey, seed)
    journey.step(5)
    compare = journey.dock.compare
    for work in (compare.maps, compare.spread):
        journey.click(work.button)
        journey.until("it is done", lambda work=work: work.runner.state is RunState.COMPLETED)
    journey.click(compare.grid)
    journey.picture("14-compare-grid")
    journey.click(compare.grid)
    with journey.in_light():
        journey.click(compare.swipe)
        journey.until("the swipe is there", lambda: compare.slider.isEnabled())
        journey.viewer.fit_to_view(layers=[journey.volume])
        journey.picture("15-compare-swipe")
        journey.click(compare.swipe)


def measure(journey: Journey) -> None:
    """Measure the realisations beside the slices; look at table and plots, write a report."""
    journey.step(6)
    for layer in journey.viewer.layers:
        layer.visible = layer.visible and not isinstance(layer, ImageLayer)
    measure = journey.dock.measure
    for tick in measure.ticks[3:5]:
        tick.setChecked(True)
    journey.click(measure.measure)
    journey.until("it is measured", lambda: measure.job.runner.state is RunState.COMPLETED)
    journey.picture("16-measure")
    bar = journey.dock.tabs.currentWidget().verticalScrollBar()
    with journey.in_light():
        bar.setValue(bar.maximum())
        journey.picture("17-measure-plots")
    page = journey.work / "report.html"
    measure.report.start(page)  # the button asks for a file, in a dialog of the system
    journey.until("the report is written", page.exists)
    journey.until("the thread has ended", lambda: not measure.report.runner.active)


def export(journey: Journey) -> None:
    """Draw a crop box with the mouse, export it."""
    journey.step(7)
    export = journey.dock.export
    volume = journey.volume
    journey.viewer.scene.camera.center = tuple(volume.extent.world.mean(0))
    journey.viewer.scene.camera.zoom = 30
    journey.viewer.layers["agreement (%)"].visible = True  # it is to step aside
    journey.click(export.draw)
    journey.drag(0.38, 0.40, 0.62, 0.60)
    journey.wait(0.5)
    if export.box.shape == volume.data.shape:
        sys.exit("The drawn rectangle did not become the box.")
    if any(isinstance(one, ImageLayer) and one.visible for one in journey.viewer.layers):
        sys.exit("A map covers the volume while its box is drawn.")
    journey.picture("11-crop")
    target = journey.work / "cathode-crop.tif"
    export.path.setText(str(target))
    journey.click(export.export)
    journey.until("it is exported", target.exists, 30)
    journey.picture("12-exported")

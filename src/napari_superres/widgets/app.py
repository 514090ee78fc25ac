"""napari with the panel docked: what the command line opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_superres.errors import SuperResError

if TYPE_CHECKING:
    from napari_superres.demo import DemoPlan
    from napari_superres.widgets.dock import SuperResDock


PLUGIN, WIDGET = "napari-superres-fusion", "SuperRes Fusion"


def add_dock(viewer: Any) -> SuperResDock:
    """Dock the panel in a viewer, as its entry in the Plugins menu does."""
    from napari_superres.widgets.dock import SuperResDock

    try:
        _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
    except (KeyError, ValueError):  # the plugin is disabled in napari's preferences
        widget = SuperResDock(viewer)
        viewer.window.add_dock_widget(widget, name=WIDGET)
    assert isinstance(widget, SuperResDock)
    return widget


def launch(demo: DemoPlan | None = None, close_when_done: bool = False) -> None:
    """Open napari with the panel docked, until it is closed.

    Parameters
    ----------
    demo : what to show: the example opens, trains, generates and is measured while
        the user watches; None for an empty panel
    close_when_done : close napari once the demo has ended

    Raises
    ------
    SuperResError
        What ended the demo, once napari is closed.
    """
    import napari

    viewer = napari.Viewer(title="napari")
    dock = add_dock(viewer)
    outcome: list[object] = []
    if demo is not None:
        from qtpy.QtCore import QTimer

        from napari_superres.widgets.demo import DemoDriver

        driver = DemoDriver(dock, demo)
        driver.finished.connect(outcome.append)
        if close_when_done:
            driver.finished.connect(lambda _result: QTimer.singleShot(2000, viewer.close))
        QTimer.singleShot(200, driver.start)
    napari.run()
    for result in outcome:
        if isinstance(result, SuperResError):
            raise result

"""The scenes before a training: the example, its checks, greyscale, settings."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt

from napari_superres.data.examples.pair import Example, example_pair
from napari_superres.data.examples.simulate import simulate_low_res
from napari_superres.data.pair import Pair
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.widgets.data.examples import example_layers, open_example_pair
from napari_superres.widgets.layers.notes import HIGH_RES, role_of
from napari_superres.widgets.layers.shown import LayerTuple
from screenshots.journey import Journey

AXES = 3
STRETCH = 2
"""How many times as long along z the particles of the anisotropic example are."""


def stretched_layers() -> list[LayerTuple]:
    """Return an anisotropic example: a cathode with long particles, and a slice for each axis."""
    truths = []
    for seed in range(2):  # the slices are of another place
        example = example_pair(seed=seed, slices=1, slice_size=64)
        assert example.truth is not None
        labels = np.repeat(example.truth.labels, STRETCH, axis=0)[: len(example.truth.labels)]
        truths.append(labels)
    high_res, settings = example.pair.high_res, example.settings
    phases, um = high_res.phases, high_res.voxel_size
    volume = SegmentedVolume(truths[0], phases, um, "pressed truth")
    low_res = simulate_low_res(volume, settings.scale_factor, settings.phase_map, name="pressed")
    middle = len(truths[1]) // 2
    sets = tuple((np.ascontiguousarray(truths[1].take(middle, axis)),) for axis in range(AXES))
    slices = SegmentedSlices(sets, phases, um, "pressed")
    return example_layers(Example(Pair(low_res, slices), None, settings))


def open_example(journey: Journey) -> None:
    """Open the sample as File > Open Sample does; an anisotropic one with its three planes."""
    data = journey.dock.data
    if journey.aniso:
        data.add_layers(stretched_layers())
        journey.click(data.anisotropic)
        data.axes.choose(_slices(journey))
    else:
        journey.picture("01-empty")
        journey.viewer.open_sample("napari-superres-fusion", "example-pair")
    journey.until("the inputs are read", lambda: journey.dock.session.fusion.ready)
    journey.viewer.reset_view()
    journey.until("the checks are made", lambda: len(data.checks.text()) > 80)
    journey.picture("02-data")
    bar = journey.dock.tabs.currentWidget().verticalScrollBar()
    bar.setValue(bar.maximum())
    journey.picture("02b-checks")
    bar.setValue(0)


def _slices(journey: Journey) -> list[Any]:
    """Return the high-res layers in the order they were added: normal to z, y, x."""
    return [layer for layer in journey.viewer.layers if role_of(layer) == HIGH_RES]


def segment(journey: Journey) -> None:
    """Segment a noisy greyscale volume, as a person without labels begins."""
    data = journey.dock.data
    labels = open_example_pair()[0][0]
    noise = np.random.default_rng(0).normal(0, 14, labels.shape)
    grey = (30 + 70 * labels + noise).clip(0, 255).astype(np.uint8)
    um = {"scale": (0.4,) * 3, "units": ("um",) * 3}
    journey.viewer.add_image(grey, name="tomogram", **um)
    data.segment_fold.expand()
    preview = data.segment.preview
    journey.until("the preview comes", lambda: preview.layer is not None)
    journey.viewer.reset_view()
    journey.picture("18-segment")
    data.segment_fold.collapse()
    journey.viewer.layers.clear()


def preferences(journey: Journey) -> None:
    """Open napari's preferences at the panel's page."""
    from napari._qt.dialogs.preferences_dialog import PreferencesDialog

    dialog = PreferencesDialog(journey.window)
    dialog.setStyleSheet(journey.window.styleSheet())
    (row,) = dialog._list.findItems("SuperRes Fusion", Qt.MatchFlag.MatchExactly)
    dialog._list.setCurrentItem(row)
    dialog.show()
    journey.picture("19-preferences")
    dialog.reject()


def set_up(journey: Journey) -> None:
    """Look at the settings, fold the advanced ones out and in."""
    journey.step(2)
    memory = journey.dock.train.memory
    journey.until("the memory is estimated", lambda: bool(memory.note.text()))
    journey.dock.train.use_folder(journey.work / "cathode")
    journey.picture("03-train")
    journey.dock.train.advanced.expand()
    journey.picture("04-train-advanced")
    journey.dock.train.advanced.collapse()
    journey.dock.train.minutes.value = 60  # so that slow machines come to an end by steps
    # livelier than the preset, so that slow machines show curves too
    journey.dock.train.engine_form.dials["preview_seconds"].value = 2
    journey.dock.train.engine_form.dials["measure_every"].value = 10

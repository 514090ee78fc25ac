from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_superres.data.phases import phases_from_values
from napari_superres.errors import PhaseError, ShapeError
from napari_superres.widgets.translation.plan import (
    outputs,
    result_arguments,
    result_layer,
    result_shape,
    subject_of,
)

UM = ("um", "um", "um")
VOLUME = np.zeros((3, 8, 10), np.uint8)


def test_a_volume_gets_finer_along_the_two_other_axes_and_stays_in_place():
    layer = Image(VOLUME, scale=(2, 1, 1), translate=(5, 0, 0), units=UM)
    placed = result_arguments(subject_of(layer), 4, 0)
    np.testing.assert_allclose(placed["scale"], (2, 0.25, 0.25))
    np.testing.assert_allclose(placed["translate"], (5, -0.375, -0.375))
    assert result_shape(VOLUME.shape, 4, 0) == (3, 32, 40)
    assert result_shape(VOLUME.shape, 4, 2) == (12, 32, 10)


def test_an_image_stays_an_image():
    layer = Image(VOLUME[0], scale=(1, 1), units=UM[1:])
    subject = subject_of(layer)
    placed = result_arguments(subject, 2, 0)
    made = np.zeros((1, 16, 20), np.uint8)
    data, arguments, _ = result_layer(made, (), subject, "sharp", placed)
    shown = Image(data, **arguments)
    assert shown.data.shape == (16, 20)
    np.testing.assert_allclose(shown.translate, -0.25)
    np.testing.assert_allclose(shown.extent.world, layer.extent.world, atol=0.5)
    assert [str(unit) for unit in shown.units] == ["micrometer"] * 2


def test_phases_are_read_as_label_values_and_shown_as_index_plus_one():
    phases = phases_from_values((0, 255))
    layer = Labels((VOLUME + 255).astype(np.uint8))
    subject = subject_of(layer)
    assert set(np.unique(subject.read(phases))) == {255}
    data, arguments, kind = result_layer(
        VOLUME, phases, subject, "sharp", result_arguments(subject, 1, 0)
    )
    assert kind == "labels"
    assert set(np.unique(Labels(data, **arguments).data)) == {1}


def test_grey_values_deeper_than_8_bits_are_refused():
    with pytest.raises(ShapeError, match="same limits"):
        subject_of(Image(VOLUME.astype(np.uint16))).read(())


def test_too_many_axes_are_refused():
    with pytest.raises((ShapeError, PhaseError), match="4 axes"):
        subject_of(Image(VOLUME[None]))


def test_several_realisations_get_numbered_files():
    names = [path.name for path in outputs(Path("out.tif"), 2)]
    assert names == ["out-1.tif", "out-2.tif"]
    assert outputs(None, 2) == [None, None]
    assert outputs(Path("a.zarr"), 1) == [Path("a.zarr")]

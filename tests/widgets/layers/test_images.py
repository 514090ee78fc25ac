import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels

from napari_superres.errors import ShapeError
from napari_superres.widgets.images.pickers import image_layers
from napari_superres.widgets.layers.images import choose_images
from napari_superres.widgets.layers.notes import HIGH_RES, path_of
from napari_superres.widgets.layers.shown import phase_layer
from tests.fakes import PHASES

GREY = (np.indices((20, 24)).sum(0) * 5).astype(np.uint8)


def test_grey_layers_keep_their_values_and_pixel_size():
    layer = Image(GREY, scale=(0.5, 0.5), units=("um", "um"), name="sem")
    images = choose_images([layer, Image(GREY + 3, scale=(0.5, 0.5), units=("um", "um"))]).read()
    assert not images.segmented
    assert images.pixel_size == 0.5
    np.testing.assert_array_equal(images.images[0], GREY)


def test_labels_made_here_give_their_phases_back():
    image = (GREY % 3).astype(np.uint8)
    data, arguments, _ = phase_layer(image, PHASES, "slices", HIGH_RES)
    images = choose_images([Labels(data, **arguments)]).read()
    assert images.phases == PHASES
    np.testing.assert_array_equal(images.images[0], image)


@pytest.mark.parametrize(("segmented", "expected"), [(None, True), (False, False)])
def test_few_values_are_phases_unless_said_otherwise(segmented, expected):
    layer = Image((GREY % 4).astype(np.uint8))
    assert choose_images([layer], segmented).read().segmented is expected


def test_a_stack_counts_as_many_images():
    chosen = choose_images([Image(np.stack([GREY] * 3))])
    assert chosen.shapes == ((3, 20, 24),)
    assert len(chosen.read().images) == 3


def test_colours_are_refused():
    chosen = choose_images([Image(np.zeros((20, 20, 3), np.uint8), rgb=True, name="photo")])
    with pytest.raises(ShapeError, match="photo has colours"):
        _ = chosen.shapes


def test_opened_files_come_with_pixel_size_and_path(tmp_path):
    file = tmp_path / "sem.tif"
    tifffile.imwrite(
        file, GREY, imagej=True, resolution=(4, 4), metadata={"unit": "um", "axes": "YX"}
    )
    ((data, arguments, kind),) = image_layers([file])
    layer = Image(data, **arguments)
    assert kind == "image"
    assert layer.scale.tolist() == [0.25, 0.25]
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 2
    assert layer.axis_labels == ("y", "x")
    assert path_of(layer) == file

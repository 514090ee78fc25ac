"""Runs and what they made open as layers: each in its place, with the lengths it has."""

import numpy as np
import pytest
from napari.layers import Labels

from napari_superres.config import GenerationSettings, Preset, TrainingSettings
from napari_superres.data.files.tiff import write_labels_tiff
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.generation.job import Job
from napari_superres.generation.render import generate_volume
from napari_superres.widgets.data.opening import get_reader, read_layers
from napari_superres.widgets.export.plan import border_of
from napari_superres.widgets.layers.data import slices_from_layers
from napari_superres.widgets.layers.notes import (
    HIGH_RES,
    LOW_RES,
    SUPER_RES,
    role_of,
)
from tests.fusion.materials import new_run
from tests.generation.networks import mixed_generator
from tests.widgets.layers.test_files import PHASES, VALUES, indices, opened


def test_a_map_of_realisations_opens_as_an_image_in_per_cent(tmp_path):
    write_labels_tiff(
        tmp_path / "agreement.tif",
        indices(),
        voxel_size=(0.1,) * 3,
        provenance={"shows": "agreement"},
    )
    ((_, arguments, kind),) = read_layers(str(tmp_path / "agreement.tif"))
    assert (kind, arguments["contrast_limits"]) == ("image", (0, 100))
    assert arguments["units"] == ("um",) * 3


def test_a_result_without_its_border_is_not_cut_again(tmp_path):
    for told, left in (({"border dropped": "yes"}, 6), ({}, 4)):
        write_labels_tiff(
            tmp_path / "a.tif",
            VALUES[indices((6, 6, 6))],
            voxel_size=(0.1,) * 3,
            phases=PHASES,
            provenance={"scale factor": "1"} | told,
        )
        assert border_of(opened(tmp_path / "a.tif")).shape == (left,) * 3


def test_a_run_folder_opens_its_inputs_and_its_results(tmp_path):
    volume = SegmentedVolume.from_labels(indices((5, 5, 5)) % 2, (0.4,) * 3, name="coarse")
    slices = SegmentedSlices.from_labels([indices((8, 16, 16))], (0.1,) * 3, name="fine")
    settings = TrainingSettings(scale_factor=4, phase_map={0: 0, 1: 1, 2: 0}, preset=Preset.QUICK)
    run = new_run(tmp_path / "run", volume, slices, settings)
    provenance = {"scale factor": "4"}
    write_labels_tiff(
        run.path / "super-res.tif",
        VALUES[indices((20, 20, 20))],
        voxel_size=(0.1,) * 3,
        offset=(-0.15,) * 3,
        phases=PHASES,
        provenance=provenance,
    )
    layers = [Labels(data, **arguments) for data, arguments, _ in read_layers(str(run.path))]
    assert [role_of(layer) for layer in layers] == [LOW_RES, HIGH_RES, SUPER_RES]
    assert layers[1].data.shape == (8, 16, 16)
    np.testing.assert_allclose(layers[2].translate, -0.15)


def run_of(tmp_path, low_size, high_size, sets=None, scale_factor="2"):
    images = sets or [indices((8, 16, 16))]
    volume = SegmentedVolume.from_labels(indices((5, 6, 7)) % 2, low_size, name="coarse")
    slices = SegmentedSlices.from_labels(images, high_size, name="fine")
    phase_map = {0: 0, 1: 1, 2: 0}
    settings = TrainingSettings(
        scale_factor=scale_factor, phase_map=phase_map, anisotropic=slices.anisotropic
    )
    return new_run(tmp_path / "run", volume, slices, settings)


def layers_of(run):
    return [Labels(data, **arguments) for data, arguments, _ in read_layers(str(run.path))]


def test_results_without_units_of_length_lie_over_the_low_res_volume(tmp_path):
    run, region = run_of(tmp_path, None, None), ((1, 4), (0, 6), (2, 5))
    settings, output = GenerationSettings(region=region), run.path / "super-res.tif"
    job = Job(mixed_generator("2"), run.low_res(), PHASES, settings)
    for _ in generate_volume(job, output):
        pass
    low, slices, fine = layers_of(run)
    assert fine.data.shape == (6, 12, 6)
    for index in ((0, 0, 0), (3, 2, 1)):
        place = (np.array(index) + 0.5) / 2 - 0.5 + (1, 0, 2)
        np.testing.assert_allclose(fine.data_to_world(index), low.data_to_world(place))
    np.testing.assert_allclose(slices.scale[1:], 0.5)


def test_where_only_the_slices_have_a_length_that_of_the_volume_follows(tmp_path):
    low, slices = layers_of(run_of(tmp_path, None, (0.1, 0.1, 0.1)))
    np.testing.assert_allclose(low.scale, 0.2)
    np.testing.assert_allclose(slices.scale, 0.1)
    assert low.units[-2:] == slices.units[-2:]
    assert str(low.units[0]) == "micrometer"


def test_slices_of_an_anisotropic_run_have_the_pixels_of_their_planes(tmp_path):
    sizes, images = (0.1, 0.2, 0.3), [[indices((20, 24))] for _ in range(3)]
    run = run_of(tmp_path, (0.2, 0.4, 0.9), sizes, images, "2,2,3")
    _, *slices = layers_of(run)
    assert [tuple(one.scale) for one in slices] == [(0.2, 0.3), (0.1, 0.3), (0.1, 0.2)]
    assert slices_from_layers(slices, anisotropic=True).voxel_size == pytest.approx(sizes)


def test_other_folders_are_left_to_other_readers(tmp_path):
    import zarr

    (tmp_path / "photos").mkdir()
    zarr.open_group(tmp_path / "other.zarr", mode="w")
    assert get_reader(str(tmp_path / "photos")) is None
    assert get_reader(str(tmp_path / "other.zarr")) is None
    assert get_reader([]) is None

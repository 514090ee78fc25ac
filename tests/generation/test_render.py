"""Generation from a run folder: which weights, which volume, and where the result lies."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_superres.config import GenerationSettings, Preset, TrainingSettings
from napari_superres.data.files.tiff import read_tiff_metadata
from napari_superres.data.phases import phases_from_values
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import PhaseError, RunFolderError, SettingsError
from napari_superres.generation import render
from napari_superres.generation.render import generate, generate_many
from napari_superres.generation.tiles import result_place
from napari_superres.runs.checkpoints import save_checkpoint
from napari_superres.runs.config import HIGH_RES
from napari_superres.runs.run import Run
from tests.fusion.materials import new_run
from tests.generation.networks import LIGHT, low_res, mixed_generator

SETTINGS = GenerationSettings(precision="float32", device="cpu")
VOXEL_SIZE = (0.4, 0.4, 0.8)


@pytest.fixture
def run(tmp_path) -> Run:
    """A run of two checkpoints, of which the first is the best."""
    volume = SegmentedVolume.from_labels(low_res((5, 6, 7)) * 128, VOXEL_SIZE)
    slices = SegmentedSlices.from_labels([[np.arange(64, dtype=np.uint8).reshape(8, 8) % 3]])
    settings = TrainingSettings(
        scale_factor="4,4,2", phase_map={0: 0, 1: 128, 2: 0}, preset=Preset.QUICK, engine=LIGHT
    )
    folder = new_run(tmp_path / "run", volume, slices, settings)
    for step in (1, 2):
        weights = mixed_generator("4,4,2", seed=step).state_dict()
        state = {"step": step, "score": float(step)}
        save_checkpoint(folder.path / "checkpoints", weights, {}, state)
    return folder


def labels(run, settings=SETTINGS, **options):
    return list(generate(run.path, settings, **options))[-1].labels


def test_the_best_checkpoint_generates_the_runs_own_volume(run):
    found = labels(run)
    assert found.shape == (20, 24, 14)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, labels(run, SETTINGS.replace(checkpoint="1")))
    assert (found != labels(run, SETTINGS.replace(checkpoint="last"))).any()


def test_another_volume_of_the_same_material_is_generated_with_its_own_size(run):
    other = SegmentedVolume.from_labels(np.full((3, 4, 5), 128))
    assert labels(run, low_res=other).shape == (12, 16, 10)
    same = SegmentedVolume.from_labels(low_res((5, 6, 7)) * 128)
    np.testing.assert_array_equal(labels(run, low_res=same), labels(run))


def test_a_volume_of_another_material_is_refused(run):
    other = SegmentedVolume.from_labels(np.full((3, 4, 5), 3))
    with pytest.raises(PhaseError, match=r"has the label values \(3,\)"):
        labels(run, low_res=other)


def test_the_files_values_place_and_origin_are_those_of_the_run(run, tmp_path):
    output = tmp_path / "sr.tif"
    settings = SETTINGS.replace(crop_border=True)
    list(generate(run.path, settings, output=output))
    metadata = read_tiff_metadata(output)
    size, offset = result_place(run.low_res(), run.settings.scale_factor, settings)
    assert tifffile.imread(output).shape == (12, 16, 10)
    assert metadata.voxel_size == pytest.approx(size)
    assert metadata.offset == pytest.approx(offset)
    assert offset == pytest.approx((0.4 - 0.15, 0.4 - 0.15, 0.8 - 0.2))
    assert metadata.phases == run.kept(HIGH_RES).phases == phases_from_values([0, 1, 2])
    assert metadata.provenance["checkpoint step"] == "1"


def test_a_training_that_goes_on_does_not_change_the_checkpoint_on_the_way(run, monkeypatch):
    load = render.load_generator

    def after_a_better_one_was_saved(run, checkpoint):
        weights = mixed_generator("4,4,2", seed=3).state_dict()
        save_checkpoint(run.path / "checkpoints", weights, {}, {"step": 3, "score": 0.0})
        return load(run, checkpoint)

    first = labels(run)
    monkeypatch.setattr(render, "load_generator", after_a_better_one_was_saved)
    np.testing.assert_array_equal(labels(run), first)


def test_realisations_of_a_run_fill_a_folder(run, tmp_path):
    list(generate_many(run.path, SETTINGS, 2, tmp_path / "all", suffix=".zarr"))
    found = sorted(path.name for path in (tmp_path / "all").iterdir())
    assert found == [
        "agreement.zarr",
        "entropy.zarr",
        "most-likely.zarr",
        "seed-0.zarr",
        "seed-1.zarr",
        "spread.json",
    ]


def test_weights_of_another_network_are_one_clear_error(run):
    weights = mixed_generator("2").state_dict()
    save_checkpoint(run.path / "checkpoints", weights, {}, {"step": 3, "score": 0.0})
    with pytest.raises(RunFolderError, match="do not fit the run's configuration"):
        labels(run)


def test_a_region_outside_the_volume_is_refused(run):
    with pytest.raises(SettingsError, match="along x"):
        labels(run, SETTINGS.replace(region=((0, 5), (0, 6), (0, 8))))

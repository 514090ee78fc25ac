"""Several realisations: maps of what they agree on, and how their measures spread."""

from __future__ import annotations

import itertools
import json
import threading

import numpy as np
import pytest
import tifffile

from napari_superres.config import GenerationSettings
from napari_superres.data.files.ome_zarr import open_pyramid
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import OutputError, SettingsError
from napari_superres.generation.job import Job
from napari_superres.generation.render import generate_realisations, generate_volume
from napari_superres.measures.kinds.fractions import volume_fractions
from napari_superres.measures.kinds.interfaces import interface_areas
from napari_superres.writing import plain_sink, zarr_sink
from tests.generation.networks import low_res, mixed_generator

PHASES = (Phase(0, "pore"), Phase(7, "am"), Phase(9, "binder"))
VALUES = np.array([0, 7, 9], np.uint8)
SETTINGS = GenerationSettings(precision="float32", tile=4, seed=5)
VOLUME = SegmentedVolume.from_labels(low_res((6, 7, 8)))
COUNT = 4


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(plain_sink, "SIDE", 8)
    monkeypatch.setattr(zarr_sink, "SIDES", (8, 8))


@pytest.fixture(scope="module")
def volumes():
    """The realisations one by one, phase indices, (K, Z, Y, X)."""
    return np.stack([one(SETTINGS.replace(seed=5 + number)) for number in range(COUNT)])


def one(settings):
    return list(generate_volume(Job(mixed_generator("2"), VOLUME, PHASES, settings)))[-1].labels


def all_of(folder, **options):
    job = Job(mixed_generator("2"), VOLUME, PHASES, SETTINGS)
    return generate_realisations(job, COUNT, folder, **options)


def test_each_realisation_is_the_volume_of_its_seed(tmp_path, volumes):
    list(all_of(tmp_path / "all"))
    for number in range(COUNT):
        found = tifffile.imread(tmp_path / f"all/seed-{5 + number}.tif")
        np.testing.assert_array_equal(found, VALUES[volumes[number]])


def test_maps_hold_the_most_frequent_phase_its_share_and_the_entropy(tmp_path, volumes):
    list(all_of(tmp_path / "all", keep_volumes=False))
    counts = np.stack([(volumes == phase).sum(0) for phase in range(3)])
    shares = counts / COUNT
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    entropy = -100 * (shares * logs).sum(0) / np.log(3)
    maps = {name: tifffile.imread(tmp_path / f"all/{name}.tif") for name in names(tmp_path)}
    assert sorted(maps) == ["agreement", "entropy", "most-likely"]
    np.testing.assert_array_equal(maps["most-likely"], VALUES[counts.argmax(0)])
    np.testing.assert_array_equal(maps["agreement"], np.round(100 * shares.max(0)))
    np.testing.assert_allclose(maps["entropy"], entropy, atol=0.51)
    assert 0 < maps["entropy"].mean() < 100


def names(tmp_path):
    return [path.stem for path in (tmp_path / "all").glob("*.tif")]


def test_the_spread_is_that_of_the_measures_of_the_volumes(tmp_path, volumes):
    list(all_of(tmp_path / "all", keep_volumes=False))
    spread = json.loads((tmp_path / "all/spread.json").read_text())
    assert spread["seeds"] == [5, 6, 7, 8]
    fractions = np.stack([volume_fractions(volume, 3) for volume in volumes])
    found = spread["volume_fractions"]["am"]
    np.testing.assert_allclose(found["values"], fractions[:, 1])
    assert found["sd"] == pytest.approx(fractions[:, 1].std(ddof=1))
    areas = np.stack([interface_areas(volume, 3) for volume in volumes])
    np.testing.assert_allclose(spread["interface_areas"]["pore|binder"]["values"], areas[:, 0, 2])


@pytest.mark.parametrize("suffix", [".tif", ".zarr"])
def test_stopped_realisations_are_continued_to_the_same_files(tmp_path, suffix):
    list(all_of(tmp_path / "whole", suffix=suffix))
    stop = threading.Event()
    for event in all_of(tmp_path / "cut", suffix=suffix, stop=stop):
        if getattr(event, "done", 0) > 40:
            stop.set()
    again = all_of(tmp_path / "cut", suffix=suffix)
    assert next(again).tiles_done > 0
    list(again)
    for name in ("seed-6", "most-likely", "entropy"):
        whole, cut = (tmp_path / folder / f"{name}{suffix}" for folder in ("whole", "cut"))
        np.testing.assert_array_equal(voxels(cut), voxels(whole))
    texts = [(tmp_path / folder / "spread.json").read_text() for folder in ("whole", "cut")]
    assert texts[0] == texts[1]


def test_realisations_begun_as_one_kind_of_file_are_not_continued_as_another(tmp_path, monkeypatch):
    list(all_of(tmp_path / "whole", suffix=".zarr"))
    finish, calls = plain_sink.PlainSink.finish, itertools.count()

    def breaks(sink, assembled):
        return finish(sink, assembled) if next(calls) < 2 else 1 / 0

    with monkeypatch.context() as broken:
        broken.setattr(plain_sink, "SIDE", 4)  # more blocks than the other kind has
        broken.setattr(plain_sink.PlainSink, "finish", breaks)
        with pytest.raises(ZeroDivisionError):
            list(all_of(tmp_path / "all"))
    list(all_of(tmp_path / "all", suffix=".zarr"))
    assert len(list((tmp_path / "all").glob("*.zarr"))) == COUNT + 3
    texts = [(tmp_path / folder / "spread.json").read_text() for folder in ("whole", "all")]
    assert texts[0] == texts[1]


def test_an_unknown_kind_of_file_leaves_no_folder(tmp_path):
    with pytest.raises(OutputError, match="no known kind of file"):
        next(all_of(tmp_path / "all", suffix=".png"))
    assert list(tmp_path.iterdir()) == []


def voxels(path):
    return open_pyramid(path).levels[0][:] if path.suffix == ".zarr" else tifffile.imread(path)


def test_other_realisations_into_the_same_folder_are_refused_meanwhile(tmp_path):
    first = all_of(tmp_path / "all", keep_volumes=False)
    next(first)
    with pytest.raises(OutputError, match="already"):
        next(all_of(tmp_path / "all"))
    first.close()
    list(all_of(tmp_path / "all", keep_volumes=False))
    assert len(list((tmp_path / "all").iterdir())) == 4


def test_what_is_finished_when_the_writing_fails_is_not_generated_again(tmp_path, monkeypatch):
    finish, calls = plain_sink.PlainSink.finish, itertools.count()

    def breaks(sink, assembled):
        return finish(sink, assembled) if next(calls) < 2 else 1 / 0

    with monkeypatch.context() as broken:
        broken.setattr(plain_sink.PlainSink, "finish", breaks)
        with pytest.raises(ZeroDivisionError):
            list(all_of(tmp_path / "all"))
    again = all_of(tmp_path / "all")
    started = next(again)
    assert started.tiles_done == started.tiles
    list(again)
    assert len(names(tmp_path)) == COUNT + 3


def test_held_noise_keeps_a_part_whatever_the_seed():
    volume = SegmentedVolume(low_res((4, 4, 24)), VOLUME.phases)
    generator = mixed_generator("2")
    held = SETTINGS.replace(held_region=((0, 4), (0, 4), (0, 12)), held_seed=5)
    first, second = (
        list(generate_volume(Job(generator, volume, PHASES, held.replace(seed=seed))))[-1].labels
        for seed in (8, 9)
    )
    np.testing.assert_array_equal(first[..., :12], second[..., :12])
    assert (first[..., -12:] != second[..., -12:]).any()


def test_a_held_part_outside_the_volume_is_refused():
    with pytest.raises(SettingsError, match="does not lie in the low-res volume"):
        one(SETTINGS.replace(held_region=((0, 6), (0, 7), (0, 9))))


def test_periodic_noise_makes_the_volume_of_a_uniform_axis_periodic():
    volume = SegmentedVolume(low_res((4, 5, 1)).repeat(16, axis=2), VOLUME.phases)
    settings = SETTINGS.replace(periodic_axes=(2,), region=((0, 4), (0, 5), (0, 8)))
    generator = mixed_generator("2")
    first = list(generate_volume(Job(generator, volume, PHASES, settings)))[-1].labels
    second = settings.replace(region=((0, 4), (0, 5), (8, 16)))
    np.testing.assert_array_equal(
        list(generate_volume(Job(generator, volume, PHASES, second)))[-1].labels, first
    )
    assert len(np.unique(first)) > 1


@pytest.mark.parametrize(
    ("crop_border", "region", "period"),
    [
        (False, None, (None, None, 8)),
        (True, None, (None, None, 6)),
        (True, ((0, 6), (0, 7), (0, 5)), (None, None, 4)),
    ],
)
def test_periodic_noise_repeats_with_the_size_of_what_is_generated(crop_border, region, period):
    settings = SETTINGS.replace(periodic_axes=(2,), crop_border=crop_border, region=region)
    job = Job(mixed_generator("2"), VOLUME, PHASES, settings)
    assert job.noise.period == period
    assert job.result.shape[2] == 2 * period[2]

import numpy as np
import pooch
import pytest
import tifffile

from napari_superres.data.checks.inputs import check_inputs
from napari_superres.data.examples import published
from napari_superres.data.examples.published import CASES, fetch_published, labels_sha256
from napari_superres.errors import FileError, SettingsError

COPIES = {
    "Separator_lr_input.tif": "case2_separator/low_res.tif",
    "Separator_hr_input_rods.tif": "case2_separator/high_res_rods.tif",
    "Separator_hr_input_speckles.tif": "case2_separator/high_res_speckles.tif",
    "SOFC_lr_input.tif": "case3_anode/low_res.tif",
    "SOFC_hr_input.tif": "case3_anode/high_res.tif",
}


@pytest.fixture
def served(monkeypatch):
    """Serve local files in place of the site: a function to set what is served."""

    def serve(file_of_name):
        def retrieve(url, *, fname, path, **_options):
            target = path / fname
            target.write_bytes(file_of_name(url.rsplit("/", 1)[1]).read_bytes())
            return str(target)

        monkeypatch.setattr(pooch, "retrieve", retrieve)

    return serve


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_published_case_can_be_trained_on(case, served, real_data, tmp_path):
    served(lambda name: real_data / COPIES[name])
    example = fetch_published(case, tmp_path)
    assert check_inputs(example.pair, example.settings).warnings == ()
    assert example.truth is None
    assert [phase.name for phase in example.pair.high_res.phases] == list(CASES[case].phase_names)


def test_labels_that_are_not_the_published_ones_are_refused_and_forgotten(served, tmp_path):
    fake = tmp_path / "fake.tif"
    tifffile.imwrite(fake, np.zeros((62, 62, 62), np.uint8))
    served(lambda _: fake)
    cache = tmp_path / "cache"
    cache.mkdir()
    with pytest.raises(FileError, match=r"SOFC_lr_input\.tif does not hold the labels"):
        fetch_published(3, cache)
    assert "SOFC_lr" not in " ".join(file.name for file in cache.iterdir())


def test_what_came_in_place_of_a_file_is_forgotten(served, tmp_path):
    page, cache = tmp_path / "page.html", tmp_path / "cache"
    page.write_text("<html>Log in first</html>")
    served(lambda _: page)
    cache.mkdir()
    with pytest.raises(FileError, match="no TIFF file"):
        fetch_published(3, cache)
    assert list(cache.iterdir()) == []


def test_without_a_connection_one_line_says_so(monkeypatch, tmp_path):
    def unreachable(*_args, **_options):
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(pooch, "retrieve", unreachable)
    with pytest.raises(FileError, match=r"could not be fetched from raw\.githubusercontent\.com"):
        fetch_published(2, tmp_path)


@pytest.mark.parametrize("case", [0, 1, 4])
def test_cases_that_are_not_published_in_full_are_refused(case, tmp_path):
    with pytest.raises(SettingsError, match="Zenodo"):
        fetch_published(case, tmp_path)


def test_files_are_pinned_to_a_commit():
    files = [file for case in CASES.values() for file in (case.low_res, *case.high_res)]
    assert all(len(file.commit) == 40 and file.commit in file.url for file in files)
    assert all(file.url.startswith(published.REPOSITORY) for file in files)


def test_the_sum_knows_shapes_and_labels():
    image = np.zeros((2, 6), np.uint8)
    assert labels_sha256([image]) != labels_sha256([image.reshape(3, 4)])
    assert labels_sha256([image]) != labels_sha256([image + 1])
    assert labels_sha256([image.T]) == labels_sha256([np.ascontiguousarray(image.T)])

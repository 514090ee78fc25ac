from pathlib import Path

import pytest

from napari_superres.errors import OutputError
from napari_superres.widgets.run.engine import DeviceChoice
from napari_superres.widgets.run.preferences import (
    PLUGIN,
    Preferences,
    as_preferences,
    preferences,
    preferred_device,
    usable_cache,
)

HOME = Path("/home/someone")


@pytest.fixture
def page():
    from napari.settings import get_plugin_settings

    return get_plugin_settings(PLUGIN).defaults


def test_nothing_set_means_the_usual_places():
    assert as_preferences({}, HOME) == Preferences()
    assert as_preferences({"device": "auto", "runs_folder": " "}, HOME) == Preferences()


def test_a_path_that_is_not_absolute_lies_in_the_home_folder():
    typed = as_preferences({"runs_folder": "study/runs", "cache_folder": "/big/cache"}, HOME)
    assert typed.runs_folder == HOME / "study" / "runs"
    assert typed.cache_folder == Path("/big/cache")


def test_a_user_who_is_not_there_is_no_error_while_one_types():
    assert as_preferences({"runs_folder": "~nobody-here/runs"}, HOME).runs_folder == (
        HOME / "~nobody-here" / "runs"
    )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("mps", "auto"), ("cpu", "cpu"), ("auto", "auto")],
)
def test_a_device_that_is_not_there_becomes_auto(wanted, found):
    assert preferred_device(wanted, ["auto", "cuda:0", "cuda:1", "cpu"]) == found


def test_what_napari_keeps_is_what_the_panel_takes(page, tmp_path):
    page.device = "cpu"
    page.runs_folder = str(tmp_path / "runs")
    assert preferences() == Preferences("cpu", tmp_path / "runs")


def test_a_device_that_no_setting_knows_is_refused_by_the_page(page):
    with pytest.raises(ValueError, match="not one of the allowed"):
        page.device = "abacus"


def test_a_preference_changed_while_the_panel_is_open_takes_effect(
    page, make_napari_viewer_proxy, engine, tmp_path
):
    from napari_superres.widgets.dock import TRAIN_FUSION
    from napari_superres.widgets.generate.step import GenerateStep
    from napari_superres.widgets.run.session import Session
    from napari_superres.widgets.train.step import TrainStep

    page.device = "cpu"
    viewer, session = make_napari_viewer_proxy(), Session(engine)
    train, generate = TrainStep(viewer, session.fusion, TRAIN_FUSION), GenerateStep(viewer, session)
    assert train.device.value == "cpu"
    assert generate.form.advanced_form.dials["device"].value == "cpu"
    page.runs_folder = str(tmp_path / "elsewhere")
    assert train.run_folder.parent == tmp_path / "elsewhere"
    page.device = "auto"
    assert train.device.value == "auto"


def test_a_step_s_own_device_stays_whatever_preference_changes(
    page, make_napari_viewer_proxy, engine, tmp_path
):
    from napari_superres.widgets.dock import TRAIN_FUSION
    from napari_superres.widgets.generate.step import GenerateStep
    from napari_superres.widgets.run.session import Session
    from napari_superres.widgets.train.step import TrainStep

    viewer, session = make_napari_viewer_proxy(), Session(engine)
    train, generate = TrainStep(viewer, session.fusion, TRAIN_FUSION), GenerateStep(viewer, session)
    dial = generate.form.advanced_form.dials["device"]
    train.device.value = dial.value = "cpu"
    page.runs_folder = str(tmp_path / "elsewhere")
    page.device = "cuda"
    assert (train.device.value, dial.value) == ("cpu", "cpu")


def test_auto_chosen_in_the_step_outlasts_the_next_look_for_devices(
    page, make_napari_viewer_proxy, engine
):
    from napari_superres.widgets.dock import TRAIN_FUSION
    from napari_superres.widgets.run.session import Session
    from napari_superres.widgets.train.step import TrainStep

    page.device = "cuda"
    train = TrainStep(make_napari_viewer_proxy(), Session(engine).fusion, TRAIN_FUSION)
    there = [DeviceChoice("cuda:0", "cuda:0: a fake"), DeviceChoice("cpu", "cpu: a fake")]
    train.set_device_choices(there)
    assert train.device.value == "cuda:0"
    train.device.value = "auto"
    train.set_device_choices(there)
    assert train.device.value == "auto"
    train.device.value = "cuda:0"
    train.set_device_choices(there[1:])
    assert train.device.value == "auto"


def test_downloads_go_to_the_folder_of_the_preferences(page, tmp_path, monkeypatch):
    from napari_superres.data.examples import published
    from napari_superres.errors import FileError
    from napari_superres.widgets.data.examples import open_published

    asked = []

    def fetch(case, cache=None):
        asked.append(cache)
        raise FileError("No internet.")

    monkeypatch.setattr(published, "fetch_published", fetch)
    monkeypatch.setattr("napari.utils.notifications.show_error", lambda text: None)
    page.cache_folder = str(tmp_path / "cache")
    assert open_published(2) == []
    assert asked == [tmp_path / "cache"]
    assert asked[0].is_dir()


def test_a_cache_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="folder for downloads"):
        usable_cache(tmp_path / "file" / "cache")
